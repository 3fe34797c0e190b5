// What is removed with a plugin that is killed, and what is not: on Linux, where the system tells whose a socket is.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CommandRunner } from "../../../src/index.js";
import { isRunning, until } from "../../interop/support.js";

const folder = mkdtempSync(join(tmpdir(), "killed-"));
after(() => rmSync(folder, { recursive: true }));

/** Listens on the paths of its arguments, and says so. */
const listener = `
  for (const path of process.argv.slice(1)) require("node:net").createServer().listen(path, () => console.log(path));
`;

/** A process that listens on the paths: node, or node by another command. */
async function listening(paths: string[], before: readonly string[] = []): Promise<CommandRunner> {
  const [path, ...args] = [...before, process.execPath, "-e", listener, ...paths] as [string, ...string[]];
  const runner = new CommandRunner({ path, args, env: { PATH: process.env.PATH }, cwd: undefined });
  await runner.start();
  let said = "";
  runner.stdout.on("data", (chunk) => {
    said += chunk;
  });
  await until("its sockets", () => paths.every((each) => said.includes(`${each}\n`)));
  return runner;
}

/** Has this process listen on a path, until the tests are over. */
async function listenHere(path: string): Promise<void> {
  const server = createServer().listen(path);
  after(() => server.close());
  await once(server, "listening");
}

async function kill(runner: CommandRunner): Promise<void> {
  await runner.kill();
  assert.deepEqual(await runner.wait(), { code: null, signal: "SIGKILL" });
}

/** A mount namespace of its own, in which `seen` is another folder. */
const elsewhere = (other: string, seen: string): string[] => {
  return ["unshare", "--mount", "sh", "-c", `mount --bind ${other} ${seen} && exec "$@"`, "sh"];
};
const canUnshare = spawnSync("unshare", ["--mount", "true"]).status === 0;

describe("a process that is killed", { skip: process.platform !== "linux" }, () => {
  test("takes all its sockets along", async () => {
    const paths = [join(folder, "one"), join(folder, "two")];
    await kill(await listening(paths));
    assert.deepEqual(paths.filter(existsSync), []);
  });

  test("leaves a path that another process has bound since", async () => {
    const path = join(folder, "again");
    const runner = await listening([path]);
    rmSync(path);
    await listenHere(path);
    await kill(runner);
    assert(existsSync(path));
  });

  test("in a mount namespace of its own leaves what has its socket's path here", {
    skip: canUnshare ? false : "needs the right to make a mount namespace",
  }, async () => {
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    for (const each of [here, there]) mkdirSync(each);
    const path = join(here, "socket");
    // By another name, so that the system does not list the path twice.
    await listenHere(join(here, "other"));
    renameSync(join(here, "other"), path);
    await kill(await listening([path], elsewhere(there, here)));
    assert(existsSync(path));
    assert(existsSync(join(there, "socket")), "it has listened there");
  });

  test("does not stay stopped when its host ends in this very moment", async () => {
    const program = fileURLToPath(new URL("exiting-in-kill.program.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", program]);
    const pid = Number(stdout);
    assert(pid > 1);
    try {
      await until("its end", () => !isRunning(pid));
    } finally {
      if (isRunning(pid)) process.kill(pid, "SIGKILL");
    }
  });
});
