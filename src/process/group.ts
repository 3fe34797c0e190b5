import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Milliseconds that the system's user database may take to find a group. */
const lookupTimeout = 5000;

/** The number of a group given by name or number, or undefined when there is none of that name. */
export async function findGroup(group: string): Promise<number | undefined> {
  if (/^[0-9]+$/.test(group)) return Number(group);
  const file = await readFile("/etc/group", "utf8").catch(() => "");
  const line = groupLine(file, group) ?? groupLine(await askDatabase(group), group);
  const id = line?.split(":")[2];
  return id !== undefined && /^[0-9]+$/.test(id) ? Number(id) : undefined;
}

function groupLine(text: string, group: string): string | undefined {
  return text.split("\n").find((line) => line.startsWith(`${group}:`));
}

/** Groups may stand in a directory service instead of the file; Node has no call for it, getent has. */
async function askDatabase(group: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("getent", ["group", "--", group], {
      timeout: lookupTimeout,
    });
    return stdout;
  } catch {
    return "";
  }
}
