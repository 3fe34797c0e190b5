// A scripted session whose connection dies after every possible number of bytes: everything that waits is told, nothing
// is left, and no error goes unheard.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../../../src/yamux/index.js";
import { Session, YamuxError } from "../../../src/yamux/index.js";
import { PipeEnd, pattern, unixPair, until } from "../../unit/yamux/support.js";

const loose: unknown[] = [];
process.on("unhandledRejection", (error) => loose.push(error));
process.on("uncaughtException", (error) => loose.push(error));

/** Lets a number of bytes through, then the connection dies. */
class CuttingPipe extends PipeEnd {
  left: number;
  passed = 0;
  readonly #how: "error" | "end";

  constructor(left: number, how: "error" | "end") {
    super();
    this.left = left;
    this.#how = how;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const part = chunk.subarray(0, this.left);
    this.left -= part.length;
    this.passed += part.length;
    if (part.length === chunk.length) {
      super._write(chunk, encoding, callback);
      return;
    }
    super._write(part, encoding, () => {
      this.peer.destroy(this.#how === "error" ? new Error("cable cut") : undefined);
      callback(this.#how === "error" ? new Error("cable cut") : null);
    });
  }
}

interface Outcome {
  told: number;
  expected: number;
}

async function play(client: Session, server: Session): Promise<Outcome> {
  const outcome: Outcome = { told: 0, expected: 0 };
  const watch = (promise: Promise<unknown>): void => {
    outcome.expected++;
    promise.then(
      () => outcome.told++,
      (error: unknown) => {
        assert.ok(error instanceof YamuxError, String(error));
        outcome.told++;
      },
    );
  };
  const use = (stream: Stream): Stream => {
    outcome.expected++;
    return stream.on("error", () => {}).once("close", () => outcome.told++);
  };
  const serving = (async () => {
    for (let i = 0; ; i++) {
      const stream = use(await server.accept());
      if (i === 0) stream.pipe(stream);
      else if (i === 1) stream.end("bye").resume();
      else if (i === 2) stream.resume();
      else stream.destroy();
    }
  })();
  watch(serving);
  watch(client.accept());
  const steps = async (): Promise<void> => {
    const echo = use(await client.open());
    echo.write(pattern(100));
    echo.resume();
    watch(client.ping());
    const half = use(await client.open());
    half.resume();
    half.write("x");
    const large = use(await client.open());
    large.resume();
    large.end(pattern(9000));
    const refused = use(await client.open());
    refused.write("y");
    watch(server.ping());
    echo.end("last");
    half.end();
    await client.ping();
    server.goAway();
    await client.ping();
    watch(client.open());
  };
  watch(steps());
  return outcome;
}

async function settled(sessions: readonly Session[], outcome: Outcome): Promise<void> {
  await Promise.all(sessions.map((session) => session.closed));
  await until(() => outcome.told === outcome.expected, "everybody told");
  for (const session of sessions) {
    assert.equal(session.numStreams, 0);
    assert.equal(session.state, "closed");
    await assert.rejects(session.open(), { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
    await assert.rejects(session.accept(), YamuxError);
    await assert.rejects(session.ping(), { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(loose, []);
}

for (const how of ["error", "end"] as const) {
  for (const cutter of ["client", "server"] as const) {
    test(`the ${cutter}'s bytes stop with an ${how}`, { timeout: 120_000 }, async () => {
      // Uncut, to learn how many bytes there are.
      let total = Number.POSITIVE_INFINITY;
      for (let cut = -1; cut <= total; ) {
        const ends = [
          new CuttingPipe(cut < 0 || cutter === "server" ? Number.MAX_SAFE_INTEGER : cut, how),
          new CuttingPipe(cut < 0 || cutter === "client" ? Number.MAX_SAFE_INTEGER : cut, how),
        ] as const;
        ends[0].peer = ends[1];
        ends[1].peer = ends[0];
        const config = { enableKeepAlive: false, connectionWriteTimeout: 500 };
        const sessions = [Session.client(ends[0], config), Session.server(ends[1], config)] as const;
        const outcome = await play(...sessions);
        if (cut < 0) {
          await until(() => sessions[0].state === "remoteGoAway", "the end of the script");
          await sessions[0].ping();
          total = ends[cutter === "client" ? 0 : 1].passed;
          assert.ok(total > 200);
        }
        await until(
          () => sessions.some(({ state }) => state === "remoteGoAway" || state === "closed"),
          "the end of the script or of the connection",
        );
        await Promise.all([sessions[0].close(), sessions[1].close()]);
        await settled(sessions, outcome);
        // Within headers every byte, within the long payload every 500th.
        cut += cut > 150 && cut < total - 150 ? 500 : 3;
      }
    });
  }
}

test("a socket that is destroyed at any moment", { timeout: 60_000 }, async () => {
  for (let turn = 0; turn < 60; turn++) {
    const [a, b] = await unixPair();
    const config = { enableKeepAlive: false };
    const sessions = [Session.client(a, config), Session.server(b, config)] as const;
    const outcome = await play(...sessions);
    for (let i = 0; i < turn >> 1; i++) await new Promise((resolve) => setImmediate(resolve));
    (turn % 2 === 0 ? a : b).destroy();
    await settled(sessions, outcome);
  }
});
