import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { builtin } from "../builtin.js";
import { SocketError } from "./errors.js";

/** Milliseconds that the system's user database may take to find a group. */
const LOOKUP_TIMEOUT = 5000;

/** The number of a group given by name or number. @throws SocketError ERR_SOCKET_GROUP, with go-plugin's text */
export async function groupNumber(group: string): Promise<number> {
  const id = await findGroup(group);
  if (id !== undefined) return id;
  throw new SocketError("ERR_SOCKET_GROUP", `failed to find gid from ${JSON.stringify(group)}`);
}

async function findGroup(group: string): Promise<number | undefined> {
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
    const { stdout } = await promisify(builtin.childProcess.execFile)("getent", ["group", "--", group], {
      timeout: LOOKUP_TIMEOUT,
    });
    return stdout;
  } catch {
    return "";
  }
}
