import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fields, Logger } from "../../../src/hclog/logger.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import { PluginProcess } from "../../../src/host/plugin-process.js";
import { CommandRunner } from "../../../src/process/command-runner.js";
import type { ExitStatus, Runner } from "../../../src/process/runner.js";

/** A process in the test's hand. */
class FakeRunner implements Runner {
  readonly name = "/path/to/fake";
  readonly id = "4711";
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  kills = 0;
  end!: (exit: ExitStatus) => void;
  readonly #exit = new Promise<ExitStatus>((resolve) => {
    this.end = resolve;
  });

  async start(): Promise<void> {}
  wait(): Promise<ExitStatus> {
    return this.#exit;
  }
  async kill(): Promise<void> {
    this.kills++;
    this.end({ code: null, signal: "SIGKILL" });
  }
  async diagnose(): Promise<string> {
    return "";
  }
}

interface Options {
  logger?: Logger;
  logBufferSize?: number;
  stderr?: Writable;
}

function started(options: Options = {}, runner = new FakeRunner()) {
  const { logger = nullLogger, logBufferSize = 65_536, stderr } = options;
  return { runner, plugin: new PluginProcess(runner, { logger, stderr, logBufferSize }) };
}

/** A logger that keeps what it is told at these levels. */
function keeper() {
  const lines: [level: string, message: string, fields: Fields | undefined][] = [];
  const at =
    (level: string) =>
    (message: string, fields?: Fields): void =>
      void lines.push([level, message, fields]);
  const logger: Logger = {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
  return { lines, logger };
}

/** Blocks the event loop, as a host does that computes. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("the first line", () => {
  test("comes in any pieces; what follows is read and dropped", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    for (const byte of Buffer.from("1|1|unix|/s|netrpc\nmore")) runner.stdout.write(Buffer.from([byte]));
    assert.deepEqual(await first, { kind: "line", line: "1|1|unix|/s|netrpc" });
    for (let i = 0; i < 100; i++) runner.stdout.write(Buffer.alloc(65_536));
    await sleep(20);
    assert.equal(runner.stdout.readableLength, 0);
  });

  test("is noise when it is longer than any handshake line", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    runner.stdout.write("x".repeat(40_000));
    runner.stdout.write("x".repeat(40_000));
    assert.deepEqual(await first, { kind: "noise", start: "x".repeat(200) });
  });

  test("is missing when the process ends", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    runner.stdout.end("1|1|un");
    runner.stderr.end();
    runner.end({ code: 3, signal: null });
    assert.deepEqual(await first, { kind: "exited", exit: { code: 3, signal: null }, rest: "1|1|un" });
  });

  for (const said of ["", "1|1|unix|/s"]) {
    test(`is ${JSON.stringify(said)} when stdout is closed behind that and the process lives on`, async () => {
      const { runner, plugin } = started();
      const first = plugin.firstLine();
      runner.stdout.end(said);
      assert.deepEqual(await first, { kind: "line", line: said });
      assert.equal(plugin.exited, undefined);
    });
  }

  test("is empty when stdout breaks", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    runner.stdout.destroy(new Error("the container's connection is gone"));
    assert.deepEqual(await first, { kind: "line", line: "" });
  });
});

test("a first line that is too long is noise, also when its end comes in the same piece", async () => {
  const { runner, plugin } = started();
  const first = plugin.firstLine();
  runner.stdout.push(Buffer.from(`${"x".repeat(70_000)}\n`));
  assert.equal((await first).kind, "noise");
});

describe("the end", () => {
  test("is seen although pipes stay open: a grandchild may hold them", async () => {
    const { runner, plugin } = started();
    runner.stderr.write("last words\n");
    runner.end({ code: 1, signal: null });
    assert.deepEqual(await plugin.exit, { code: 1, signal: null });
    assert.equal(plugin.stderrTail, "last words\n");
    assert(runner.stdout.destroyed && runner.stderr.destroyed);
  });

  test("comes after what the pipes still held, and after the clean-ups", async () => {
    const { runner, plugin } = started();
    const order: string[] = [];
    plugin.onExit(async () => {
      await sleep(5);
      order.push("cleaned");
    });
    void plugin.exit.then(() => order.push("exit"));
    runner.end({ code: 0, signal: null });
    runner.stderr.write("late ");
    setTimeout(() => {
      runner.stderr.end("words");
      runner.stdout.end();
    }, 20);
    await plugin.exit;
    assert.equal(plugin.stderrTail, "late words");
    assert.deepEqual(order, ["cleaned", "exit"]);
    assert.deepEqual(plugin.exited, { code: 0, signal: null });
  });

  test("kill waits for it, and does not kill what has ended", async () => {
    const { runner, plugin } = started();
    assert.deepEqual(await plugin.kill(), { code: null, signal: "SIGKILL" });
    assert.deepEqual(await plugin.kill(), { code: null, signal: "SIGKILL" });
    assert.equal(runner.kills, 1);
  });

  test("a stream that breaks later is no news", async () => {
    const { runner, plugin } = started();
    runner.stderr.destroy(new Error("gone"));
    runner.stdout.destroy(new Error("gone"));
    await sleep(5);
    runner.end({ code: 0, signal: null });
    await plugin.exit;
  });
});

describe("the end, when things fail,", () => {
  test("comes although the runner's wait rejects, its kill rejects, and nothing can be removed", async () => {
    class Broken extends FakeRunner {
      override wait(): Promise<ExitStatus> {
        return Promise.reject(new Error("no such container"));
      }
    }
    const { lines, logger } = keeper();
    const { plugin } = started({ logger }, new Broken());
    plugin.onExit(() => Promise.reject(new Error("EACCES")));
    plugin.onExit(() => {
      throw new Error("EPERM");
    });
    assert.deepEqual(await plugin.exit, { code: null, signal: null });
    const said = lines.slice(0, 3).map(([level, , fields]) => `${level} ${(fields!.error as Error).message}`);
    assert.deepEqual(said.sort(), ["warn EACCES", "warn EPERM", "warn no such container"]);
  });

  test("is nobody's to tell when a runner written in JavaScript gives nothing", async () => {
    const { runner, plugin } = started();
    runner.end(undefined as unknown as ExitStatus);
    assert.deepEqual(await plugin.exit, { code: null, signal: null });
  });

  for (const [what, kill] of [
    ["rejects", () => Promise.reject(new Error("permission denied"))],
    [
      "throws",
      () => {
        throw new Error("permission denied");
      },
    ],
  ] as const) {
    test(`kill does not reject when the runner's kill ${what}`, async () => {
      const { lines, logger } = keeper();
      const { runner, plugin } = started({ logger });
      runner.kill = kill as () => Promise<void>;
      const killed = plugin.kill();
      setImmediate(() => runner.end({ code: 0, signal: null }));
      assert.deepEqual(await killed, { code: 0, signal: null });
      assert.equal((lines[0]![2]!.error as Error).message, "permission denied");
    });
  }

  test("what does not end when it is killed is given up, pipes and all", { timeout: 60_000 }, async (t) => {
    const { lines, logger } = keeper();
    const { runner, plugin } = started({ logger });
    runner.kill = async () => {};
    let removed = 0;
    plugin.onExit(async () => void removed++);
    t.diagnostic("takes the seconds that it says it takes");
    assert.deepEqual(await plugin.kill(), { code: null, signal: null });
    assert.equal(removed, 1);
    assert.deepEqual(plugin.exited, { code: null, signal: null });
    assert(runner.stdout.destroyed && runner.stderr.destroyed);
    assert.match(lines[0]![1], /was killed and has not ended/);
  });
});

describe("stderr of a plugin that has ended", () => {
  test("is read to its end although the writer takes nothing: log, tail and copy have the last words", async () => {
    const taken: Buffer[] = [];
    const held: (() => void)[] = [];
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken.push(chunk);
        held.push(done);
      },
    });
    const { lines, logger } = keeper();
    const { runner, plugin } = started({ logger, stderr });
    for (let i = 0; i < 20; i++) runner.stderr.write(`${"x".repeat(9999)}\n`);
    await sleep(20);
    runner.stderr.end("panic: the last words\n");
    runner.stdout.end();
    runner.end({ code: 2, signal: null });
    await plugin.exit;
    assert.match(plugin.stderrTail, /panic: the last words\n$/);
    assert(lines.some(([level, message]) => level === "error" && message === "panic: the last words"));
    // The copy gets it all when the writer is ready.
    while (held.length > 0) {
      for (const done of held.splice(0)) done();
      await sleep(1);
    }
    const all = Buffer.concat(taken).toString();
    assert.equal(all.length, 20 * 10_000 + 22);
    assert.match(all, /panic: the last words\n$/);
  });

  const needsShell = { skip: process.platform === "win32" };
  test(
    "is read to its end although the host was blocked all the time that this may take",
    needsShell,
    async () => {
      const { lines, logger } = keeper();
      const runner = new CommandRunner({
        path: "/bin/sh",
        args: ["-c", "yes 0123456789 | head -c 143000 >&2; echo the end >&2; exit 3"],
        env: process.env,
        cwd: undefined,
      });
      await runner.start();
      const plugin = new PluginProcess(runner, { logger, stderr: undefined, logBufferSize: 65_536 });
      let exited = false;
      void runner.wait().then(() => {
        exited = true;
        block(3000);
      });
      await plugin.exit;
      assert(exited);
      assert.match(plugin.stderrTail, /the end\n$/);
      assert(lines.some(([, message]) => message === "the end"));
    },
  );

  test("is cut off when a grandchild goes on writing", async () => {
    const { runner, plugin } = started();
    const chatter = setInterval(() => runner.stderr.write("still here\n"), 20);
    try {
      runner.end({ code: 0, signal: null });
      assert.deepEqual(await plugin.exit, { code: 0, signal: null });
    } finally {
      clearInterval(chatter);
    }
    assert(runner.stderr.destroyed);
  });
});

test("a piece in the middle of a line has no level, whatever it begins with", async () => {
  const { lines, logger } = keeper();
  const { runner, plugin } = started({ logger, logBufferSize: 10 });
  runner.stderr.end("0123456789[ERROR] x\n[ERROR] y\n");
  runner.stdout.end();
  runner.end({ code: 0, signal: null });
  await plugin.exit;
  assert.deepEqual(
    lines.slice(0, 3).map(([level, message]) => [level, message]),
    [
      ["debug", "0123456789"],
      ["debug", "[ERROR] x"],
      ["error", "[ERROR] y"],
    ],
  );
});

test("a writer that has no room keeps the plugin waiting, however long its lines take", async () => {
  let logged = 0;
  const slow = (): void => {
    block(12);
    logged++;
  };
  const logger: Logger = { trace: slow, debug: slow, info: slow, warn: slow, error: slow };
  const { runner, plugin } = started({ logger, stderr: new Writable({ highWaterMark: 1, write() {} }) });
  for (let i = 0; i < 20; i++) runner.stderr.write("a line\n");
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  assert.equal(logged, 1);
  runner.stderr.end();
  runner.stdout.end();
  runner.end({ code: 0, signal: null });
  await plugin.exit;
  assert(logged > 20);
});

test("a plugin that logs more than the host can take leaves everybody else a turn", async () => {
  let logged = 0;
  const debug = (): void => {
    block(6);
    logged++;
  };
  const { runner, plugin } = started({
    logger: { trace: debug, debug, info: debug, warn: debug, error: debug },
  });
  for (let i = 0; i < 50; i++) runner.stderr.write("a line\n");
  let turns = 0;
  for (; logged < 50 && turns < 1000; turns++) await new Promise(setImmediate);
  assert.equal(logged, 50);
  assert(turns > 10, `${turns} turns`);
  runner.stderr.end();
  runner.stdout.end();
  runner.end({ code: 0, signal: null });
  await plugin.exit;
});

describe("what comes on stdout after the handshake", () => {
  for (const [what, pieces] of [
    ["in the same piece", ["1|1|unix|/s|netrpc\nbanner\n", "more\n"]],
    ["later", ["1|1|unix|/s|netrpc\n", "banner\n", "more\n"]],
  ] as const) {
    test(`${what} is dropped, and said once`, async () => {
      const { lines, logger } = keeper();
      const { runner, plugin } = started({ logger });
      const first = plugin.firstLine();
      runner.stdout.write(pieces[0]);
      assert.equal((await first).kind, "line");
      plugin.handshakeDone();
      for (const piece of pieces.slice(1)) runner.stdout.write(piece);
      await sleep(5);
      assert.deepEqual(lines, [
        [
          "warn",
          "what the plugin writes to file descriptor 1 after the handshake is dropped",
          { plugin: "/path/to/fake", start: "banner\n" },
        ],
      ]);
    });
  }

  test("of no handshake is not spoken of", async () => {
    const { lines, logger } = keeper();
    const { runner, plugin } = started({ logger });
    const first = plugin.firstLine();
    runner.stdout.write("Hello\nWorld\n");
    await first;
    await sleep(5);
    assert.deepEqual(lines, []);
  });
});

test("stderr is logged by lines, long ones in pieces of the buffer's size, the last one without its break", async () => {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  const logger: Logger = { trace: keep, debug: keep, info: keep, warn: keep, error: keep };
  const { runner, plugin } = started({ logger, logBufferSize: 10 });
  runner.stderr.write("short\r\n0123456789abcde\n");
  runner.stderr.end("tail");
  runner.stdout.end();
  runner.end({ code: 0, signal: null });
  await plugin.exit;
  assert.deepEqual(lines.slice(0, 4), ["short", "0123456789", "abcde", "tail"]);
});
