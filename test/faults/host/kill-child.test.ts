// What is removed with a plugin that is killed, and what is not: on Linux, where the system tells whose a socket is.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CommandRunner } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { isRunning, until } from "../../interop/support.js";
import { needs } from "../../support.js";

const folder = mkdtempSync(join(tmpdir(), "killed-"));
after(() => rmSync(folder, { recursive: true }));

/** Listens on the paths of its arguments, and says so. */
const listener = `
  for (const path of process.argv.slice(1)) require("node:net").createServer().listen(path, () => console.log(path));
`;

/** Binds a socket to the path of its argument, and says so. */
const binder = `
import socket, sys, time
bound = socket.socket(socket.AF_UNIX)
bound.bind(sys.argv[1])
print(sys.argv[1], flush=True)
time.sleep(60)
`;

/** Opens files of the names, as Go does before it listens (os.CreateTemp), and says so. */
const opener = `
  for (const path of process.argv.slice(1)) {
    require("node:fs").openSync(path, "a");
    console.log(path);
  }
  setInterval(() => {}, 1000);
`;

/** A process that has said of each path that it has made it. */
async function running(command: readonly string[], paths: readonly string[]): Promise<CommandRunner> {
  const [path, ...args] = [...command, ...paths] as [string, ...string[]];
  const runner = new CommandRunner({ path, args, env: { PATH: process.env.PATH }, cwd: undefined });
  await runner.start();
  let said = "";
  runner.stdout.on("data", (chunk) => {
    said += chunk;
  });
  await until("what it makes", () => paths.every((each) => said.includes(`${each}\n`)));
  return runner;
}

/** A process that listens on the paths: node, or node by another command. */
function listening(paths: string[], before: readonly string[] = []): Promise<CommandRunner> {
  return running([...before, process.execPath, "-e", listener], paths);
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

  test("takes along a socket that it has bound and does not listen on yet", needs("python"), async () => {
    const path = join(folder, "bound");
    await kill(await running([binary("python"), "-c", binder], [path]));
    assert.equal(existsSync(path), false);
  });

  test("takes along the file by which Go chooses a socket's name, and no other that it has open", async () => {
    const paths = ["plugin1234567", "plugin", "other1234567"].map((name) => join(folder, name));
    const written = join(folder, "plugin7654321");
    writeFileSync(written, "content");
    await kill(await running([process.execPath, "-e", opener], [...paths, written]));
    assert.deepEqual([...paths, written].map(existsSync), [false, true, true, true]);
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
