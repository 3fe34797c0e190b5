// yamux against hashicorp/yamux itself (go-fixtures/yamuxpeer), in both roles.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Role, SessionConfig, Stream } from "../../src/yamux/index.js";
import { dial, Session } from "../../src/yamux/index.js";
import { hostile, judgeHostile, playHostile } from "../conformance/yamux/hostile.js";
import { openMany, serveStreams, take, write } from "../conformance/yamux/stream-server.js";
import type { Case, CaseContext } from "./case.js";

interface GoServer {
  path: string;
  dial(config?: SessionConfig & { role?: Role }): Promise<Session>;
  /** What it printed on stdout and stderr. */
  log(): string;
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "goplug-yamux-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

async function withGoServer(
  { bin, signal }: CaseContext,
  flags: readonly string[],
  use: (server: GoServer) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "s");
    const child = spawn(bin("yamuxpeer"), ["serve", "-address", path, ...flags], { signal });
    child.on("error", () => {});
    let log = "";
    child.stderr.on("data", (chunk) => {
      log += chunk;
    });
    const sessions: Session[] = [];
    try {
      await new Promise<void>((resolve) => {
        child.stdout.on("data", (chunk) => {
          log += chunk;
          if (log.includes("LISTENING")) resolve();
        });
      });
      await use({
        path,
        log: () => log,
        async dial(config = {}) {
          const session = await dial({ path, signal, ...config });
          sessions.push(session);
          return session;
        },
      });
    } catch (error) {
      throw new Error(`with Go's log:\n${log.slice(-2000)}`, { cause: error });
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
      child.stdin.end();
      await ended(child);
    }
  });
}

/** Runs one of Go's scenarios against a server in TypeScript. */
async function goDrives(
  { bin, signal }: CaseContext,
  scenario: string,
  flags: readonly string[] = [],
  config: SessionConfig = {},
  role: Role = "server",
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "s");
    const problems: unknown[] = [];
    const ends: Promise<void>[] = [];
    const listener: Server = createServer((socket) => {
      const session = new Session(socket, { ...config, role });
      ends.push(session.closed);
      void serveStreams(session, (error) => {
        if (!scenario.startsWith("raw") && !isReset(error)) problems.push(error);
      });
    });
    listener.listen(path);
    await once(listener, "listening");
    const child = spawn(bin("yamuxpeer"), ["run", "-address", path, ...flags, scenario], { signal });
    child.on("error", () => {});
    let log = "";
    child.stderr.on("data", (chunk) => {
      log += chunk;
    });
    try {
      const code = await ended(child);
      await Promise.all(ends);
      if (code !== 0) throw new Error(`exit code ${code}: ${log}`);
      if (problems.length > 0) throw problems[0];
    } finally {
      listener.close();
    }
  });
}

/** What the system makes of a close by Go that left window updates of ours unread. Whether Go was content its exit code says. */
function isReset(error: unknown): boolean {
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  return code === "ERR_YAMUX_CONNECTION_FAILED" && /^(ECONNRESET|EPIPE)$/.test(cause?.code ?? "");
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
}

/** Collects a stream's bytes from now on. */
function collect(stream: Stream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks)));
    stream.once("error", reject);
  });
}

function noise(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let x = 7;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

async function until(condition: () => boolean, what: string, { signal }: CaseContext): Promise<void> {
  while (!condition()) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (signal.aborted) throw new Error(what);
  }
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

type Play = (server: GoServer, context: CaseContext) => Promise<void>;

/** TypeScript opens the streams. */
const plays: [feature: string, flags: string[], play: Play][] = [
  [
    "echo",
    [],
    async ({ dial }) => {
      const stream = await (await dial()).open();
      const message = noise(2_000_000);
      const back = collect(stream);
      stream.end(Buffer.concat([Buffer.from("E"), message]));
      if (!(await back).equals(message)) throw new Error("the echo differs");
    },
  ],
  [
    "echo with swapped roles",
    ["-role", "client"],
    async ({ dial }) => {
      const session = await dial({ role: "server" });
      const stream = await session.open();
      expectEqual(stream.id, 2, "a server's first stream");
      const back = collect(stream);
      stream.end("Ehello");
      expectEqual((await back).toString(), "hello", "echo");
    },
  ],
  [
    "bulk with hash",
    [],
    async ({ dial }) => {
      const session = await dial();
      const message = noise(4 << 20);
      const want = createHash("sha256").update(message).digest("hex");
      const hashes = await Promise.all(
        Array.from({ length: 16 }, async () => {
          const stream = await session.open();
          const back = collect(stream);
          stream.write("H");
          for (let at = 0; at < message.length; at += 100_000)
            stream.write(message.subarray(at, at + 100_000));
          stream.end();
          return (await back).toString("hex");
        }),
      );
      for (const hash of hashes) expectEqual(hash, want, "hash");
    },
  ],
  [
    "bulk download, slowly read",
    ["-window", "1048576"],
    async ({ dial }) => {
      const session = await dial({ maxStreamWindowSize: 1_048_576 });
      const stream = await session.open();
      stream.end(Buffer.concat([Buffer.from("D"), u64(20 << 20)]));
      await new Promise((resolve) => setTimeout(resolve, 100));
      let count = 0;
      for await (const chunk of stream) count += (chunk as Buffer).length;
      expectEqual(count, 20 << 20, "bytes");
    },
  ],
  [
    "half close",
    [],
    async (server, context) => {
      const session = await server.dial();
      const stream = await session.open();
      const back = collect(stream);
      stream.write("T");
      expectEqual((await back).toString(), "bye", "what Go said before it closed");
      expectEqual(stream.state, "remoteClosed", "state");
      for (let i = 0; i < 40; i++) await write(stream, noise(65_536));
      stream.end();
      await until(() => server.log().includes("HEARD"), "Go's end of reading", context);
      if (!server.log().includes(`HEARD ${40 * 65_536} <nil>`)) throw new Error("Go lost something");
      await until(() => session.numStreams === 0, "the stream's removal", context);
    },
  ],
  [
    "reset",
    [],
    async ({ dial, log }, context) => {
      const session = await dial();
      const stream = await session.open();
      await write(stream, Buffer.from("E"));
      await once(stream.once("data", () => {}).resume(), "data", {
        signal: AbortSignal.timeout(1),
      }).catch(() => {});
      stream.destroy();
      expectEqual(session.numStreams, 0, "streams");
      await until(() => log().includes("connection reset"), "Go's reset", context);
      await session.ping();
    },
  ],
  [
    "never reads",
    [],
    async ({ dial }) => {
      const session = await dial();
      const channel = await session.openChannel();
      let drained = false;
      channel.attach({
        onData() {},
        onEnd() {},
        onClose() {},
        onDrain() {
          drained = true;
        },
      });
      channel.write(Buffer.from("I"));
      expectEqual(channel.write(Buffer.alloc(262_143)), true, "a write within the window");
      expectEqual(channel.write(Buffer.alloc(1)), false, "a write beyond the window");
      await openMany(session, 10);
      expectEqual(drained, false, "drained");
      channel.destroy();
    },
  ],
  ["many streams at once", [], async ({ dial }) => openMany(await dial(), 1000)],
  [
    "streams opened by Go",
    [],
    async ({ dial }) => {
      const session = await dial();
      void serveStreams(session, (error) => session.close().then(() => Promise.reject(error)));
      const stream = await session.open();
      const back = collect(stream);
      stream.write("O");
      stream.end(u64(400));
      expectEqual((await back).toString(), "ok", "Go's report");
    },
  ],
  [
    "idle accept",
    ["-opentimeout", "1s"],
    async ({ dial }) => {
      const session = await dial({ streamOpenTimeout: 1000 });
      const accepted = session.accept().catch(() => {});
      const idle = await session.open();
      // Go acknowledges it when it accepts it, without any data.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expectEqual(session.state, "open", "session");
      expectEqual(idle.state, "established", "stream");
      idle.on("error", () => {}).destroy();
      await session.close();
      await accepted;
    },
  ],
  [
    "open timeout",
    ["-opentimeout", "60s"],
    async (server) => {
      const session = await server.dial({ streamOpenTimeout: 200 });
      const ask = await session.open();
      const back = collect(ask);
      ask.end("N");
      expectEqual((await back).toString(), "ok", "Go accepts no more");
      // The accept that was under way takes one more.
      const first = await session.open();
      first.on("error", () => {});
      const second = await session.open();
      second.on("error", () => {});
      await session.closed;
      expectEqual(session.error?.code, "ERR_YAMUX_TIMEOUT", "error");
    },
  ],
  [
    "close timeout",
    [],
    async ({ dial }, context) => {
      const session = await dial({ streamCloseTimeout: 100 });
      const stream = await session.open();
      stream.end("I");
      const [error] = (await once(stream, "error")) as [{ code: string }];
      expectEqual(error.code, "ERR_YAMUX_STREAM_CLOSE_TIMEOUT", "error");
      await until(() => session.numStreams === 0, "the stream's removal", context);
      await session.ping();
    },
  ],
  [
    "keepalive",
    ["-keepalive", "20ms"],
    async ({ dial }) => {
      const session = await dial({ keepAliveInterval: 20 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      expectEqual(session.state, "open", "session");
      await openMany(session, 1);
    },
  ],
  [
    "ping",
    [],
    async ({ dial }) => {
      const session = await dial();
      for (let i = 0; i < 50; i++) if (!((await session.ping()) > 0)) throw new Error("no time passed");
      const stream = await session.open();
      const back = collect(stream);
      stream.end("P");
      expectEqual((await back).toString(), "ok", "Go's ping");
    },
  ],
  [
    "go away",
    [],
    async ({ dial }) => {
      const session = await dial();
      const echo = await session.open();
      const back = collect(echo);
      echo.write("E");
      const stream = await session.open();
      const ok = collect(stream);
      stream.end("G");
      expectEqual((await ok).toString(), "ok", "Go's GoAway");
      expectEqual(session.state, "remoteGoAway", "state");
      const refused = await session.open().then(
        () => "opened",
        (error: { code: string }) => error.code,
      );
      expectEqual(refused, "ERR_YAMUX_REMOTE_GO_AWAY", "open");
      echo.end("still here");
      expectEqual((await back).toString(), "still here", "an older stream");
    },
  ],
  [
    "go away from this side",
    [],
    async ({ dial }) => {
      const session = await dial();
      session.goAway();
      const stream = await session.open();
      const back = collect(stream);
      // Go is asked to open streams now, and may not.
      stream.write("O");
      stream.end(u64(1));
      expectEqual((await back).toString(), "", "Go's report");
    },
  ],
  [
    "session close by Go",
    [],
    async ({ dial }) => {
      const session = await dial();
      const stream = await session.open();
      let count = 0;
      stream.on("data", (chunk: Buffer) => {
        count += chunk.length;
      });
      stream.write("B");
      const [error] = (await once(stream, "error")) as [{ code: string }];
      expectEqual(count, 262_144, "bytes before the end");
      expectEqual(error.code, "ERR_YAMUX_SESSION_SHUTDOWN", "error");
      await session.closed;
      const { error: end } = session;
      expectEqual(end?.code === "ERR_YAMUX_EOF" || isReset(end), true, `an end or a reset: ${end}`);
    },
  ],
  [
    "hand-over after the first bytes",
    [],
    async ({ dial }) => {
      const channel = await (await dial()).openChannel();
      channel.attach({ onData() {}, onEnd() {}, onClose() {} });
      channel.write(Buffer.from("Eheadtail"));
      const stream = await new Promise<Stream>((resolve) => {
        channel.attach({
          onData(chunk) {
            channel.unshift(chunk.subarray(4));
            resolve(channel.toDuplex() as Stream);
          },
          onEnd() {},
          onClose() {},
        });
      });
      expectEqual((await take(stream, 4))?.toString(), "tail", "the rest");
      stream.destroy();
    },
  ],
  [
    "open and close, 5000 times",
    [],
    async ({ dial }) => {
      const session = await dial();
      for (let i = 0; i < 5000; i++) {
        const channel = await session.openChannel();
        const over = new Promise<Error | undefined>((resolve) => {
          channel.attach({ onData() {}, onEnd() {}, onClose: resolve });
        });
        channel.end();
        expectEqual(await over, undefined, "close");
      }
      expectEqual(session.numStreams, 0, "streams");
    },
  ],
  [
    "hostile frames, as Go takes them",
    ["-quiet"],
    async ({ path }) => {
      const wrong: string[] = [];
      for (const test of hostile) {
        const conn = connect({ path });
        const outcome = await playHostile(conn, test.frames, 30);
        const problem = judgeHostile(
          // Go queues its last answers but closes before it sends them.
          test,
          outcome,
          test.go ?? test.session,
        );
        if (problem !== undefined) wrong.push(problem);
      }
      if (wrong.length > 0) throw new Error(wrong.join("\n"));
    },
  ],
];

const drives: [feature: string, scenario: string, flags?: string[], config?: SessionConfig, role?: Role][] = [
  ["echo", "echo"],
  ["echo with swapped roles", "echo", ["-role", "server"], {}, "client"],
  ["bulk with hash", "bulk"],
  ["bulk download, slowly read", "source"],
  ["bulk download into a large window", "source", ["-window", "1048576"]],
  ["half close", "half close"],
  ["idle accept", "idle accept", ["-opentimeout", "1s"]],
  ["keepalive", "keepalive", ["-keepalive", "20ms"], { keepAliveInterval: 20 }],
  ["ping", "ping"],
  ["many streams at once", "flood"],
  ["streams opened by TypeScript", "open many"],
  ["go away", "go away"],
  ["session close", "session close"],
  ["never reads", "never reads"],
  ["close timeout", "close timeout", ["-closetimeout", "100ms"]],
  ["open and close, 2000 times", "open close"],
  ["raw SYN and FIN with payload", "raw syn fin with payload"],
  ["raw duplicate SYN", "raw duplicate syn"],
  ["raw ping", "raw ping"],
];

export const cases: Case[] = [
  ...plays.map(
    ([feature, flags, play]): Case => ({
      name: `ts->go yamux ${feature}`,
      needs: ["yamuxpeer"],
      timeoutMs: 30_000,
      run: (context) => withGoServer(context, flags, (server) => play(server, context)),
    }),
  ),
  ...drives.map(
    ([feature, scenario, flags, config, role]): Case => ({
      name: `go->ts yamux ${feature}`,
      needs: ["yamuxpeer"],
      timeoutMs: 30_000,
      run: (context) => goDrives(context, scenario, flags, config, role),
    }),
  ),
];
