// What a watchdog does when its host is gone: only what it was told, and only to whom it was told.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Leftover, removeLeftover } from "../../../src/process/host-end/leftover.js";
import { WATCHDOG_SCRIPT } from "../../../src/process/host-end/watchdog.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-watchdog-"));
after(() => rmSync(folder, { recursive: true }));

/** Tells a watchdog these lines, and then that its host is gone. */
async function afterHost(...lines: string[]): Promise<void> {
  const child = spawn("/bin/sh", ["-c", WATCHDOG_SCRIPT], { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.end(lines.map((line) => `${line}\n`).join(""));
  await once(child, "close");
}

/** Makes a socket file that nobody listens on any more, as a plugin leaves it that was killed. */
async function socketAt(path: string): Promise<string> {
  const made = spawnSync(process.execPath, [
    "-e",
    'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
    path,
  ]);
  assert.equal(made.signal, "SIGKILL");
  return path;
}

function sleeper(): ChildProcess {
  return spawn("sleep", ["60"], { stdio: "ignore" });
}

test("kills what it was told, and nothing that was taken back", async () => {
  const [doomed, spared] = [sleeper(), sleeper()];
  const end = once(doomed, "exit");
  await afterHost(`+kill ${doomed.pid}`, `+kill ${spared.pid}`, `-kill ${spared.pid}`);
  assert.deepEqual(await end, [null, "SIGKILL"]);
  assert.equal(spared.exitCode ?? spared.signalCode, null);
  spared.kill("SIGKILL");
});

const container = ["--pid", "--fork", "--mount-proc", "--kill-child"];
// The next pid can be chosen in a pid namespace of one's own.
const reuse = `
mkfifo "$1/lines"
sh -c "$2" < "$1/lines" & watchdog=$!
exec 3> "$1/lines"
sleep 60 3>&- & first=$!
echo "+kill $first" >&3
sleep 2
if [ "$3" = reuse ]; then
  kill -9 $first; wait $first
  echo $((first - 1)) > /proc/sys/kernel/ns_last_pid
  sleep 60 3>&- & second=$!
  [ $first = $second ] || exit 3
fi 2>/dev/null
exec 3>&-
wait $watchdog
for i in 1 2 3 4 5 6 7 8 9; do
  case $(cat "/proc/$first/stat" 2>/dev/null) in "" | *") Z "*) echo killed; exit ;; esac
  sleep 0.2
done
echo spared
`;
const canContain = spawnSync("unshare", [...container, "true"]).status === 0;

describe("a pid", { skip: canContain ? false : "needs the right to make a pid namespace" }, () => {
  for (const [what, outcome] of [
    ["reuse", "spared"],
    ["stay", "killed"],
  ] as const) {
    test(`that ${what === "reuse" ? "is another process's by now is spared" : "is still the plugin's is killed"}`, () => {
      const home = mkdtempSync(join(folder, "reuse-"));
      const { stdout } = spawnSync(
        "unshare",
        [...container, "sh", "-c", reuse, "sh", home, WATCHDOG_SCRIPT, what],
        { encoding: "utf8", timeout: 60_000, killSignal: "SIGKILL" },
      );
      assert.equal(stdout.trim(), outcome);
    });
  }
});

// By the watchdog, and by the host itself at an end that it sees: one rule.
for (const [by, remove] of [
  ["the watchdog", (...all: Leftover[]) => afterHost(...all.map(({ kind, path }) => `+${kind} ${path}`))],
  ["the host", async (...all: Leftover[]) => all.forEach(removeLeftover)],
] as const) {
  describe(`what is left is removed by ${by}`, () => {
    const home = mkdtempSync(join(folder, "a b-"));
    const inHome = (name: string): string => join(home, name);

    test("a socket, a file, and a folder with sockets in it, whatever their names", async () => {
      mkdirSync(inHome("fol der"));
      writeFileSync(inHome("-file"), "");
      const sockets = [await socketAt(inHome("so $(x) 'ck")), await socketAt(inHome("fol der/so ck"))];
      await remove(
        { kind: "socket", path: sockets[0]! },
        { kind: "file", path: inHome("-file") },
        { kind: "folder", path: inHome("fol der") },
      );
      for (const path of [...sockets, inHome("-file"), inHome("fol der")])
        assert.equal(existsSync(path), false, path);
    });

    test("a folder or a file in the place of a socket loses nothing, nor what a link points to", async () => {
      mkdirSync(inHome("kept"));
      writeFileSync(inHome("kept/file"), "");
      const server = createServer().listen(inHome("kept/live"));
      await once(server, "listening");
      symlinkSync(inHome("kept/live"), inHome("link"));
      symlinkSync(inHome("kept/file"), inHome("link-to-file"));
      await remove(
        { kind: "socket", path: inHome("kept") },
        { kind: "socket", path: inHome("kept/file") },
        { kind: "socket", path: inHome("link") },
        { kind: "file", path: inHome("kept") },
        { kind: "file", path: inHome("link-to-file") },
        { kind: "folder", path: inHome("kept/file") },
        { kind: "folder", path: inHome("nowhere") },
      );
      for (const name of ["kept/file", "kept/live", "link", "link-to-file"]) {
        assert(existsSync(inHome(name)), name);
      }
      server.close();
    });

    test("a folder that holds anything but sockets stays", async () => {
      mkdirSync(inHome("full"));
      writeFileSync(inHome("full/file"), "");
      await remove({ kind: "folder", path: inHome("full") });
      assert(existsSync(inHome("full/file")));
    });
  });
}
