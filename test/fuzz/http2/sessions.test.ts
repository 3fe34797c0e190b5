// Random and mutated frames into sessions of both roles, in any pieces. The session goes on, and serves a call that comes
// afterwards, or it has ended: with a typed error and a GOAWAY that says the same. Nothing hangs, throws or grows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PREFACE,
  readU32,
  SETTINGS,
} from "../../../src/http2/frame.js";
import {
  Http2Error,
  Session,
  type SessionOptions,
  type Stream,
  type StreamHandler,
} from "../../../src/http2/index.js";
import { ask, request } from "../../unit/http2/support.js";
import { frame, mutate, mutation } from "./frames.js";
import { cut, decode, encode, type Frame, turn, Wire } from "./wire.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

const problems: unknown[] = [];
process.on("unhandledRejection", (error) => problems.push(error));
process.on("uncaughtException", (error) => problems.push(error));

/** Small, so that random frames reach the limits. */
const options: SessionOptions = { streamWindow: 4000, maxHeaderListSize: 4000, maxConcurrentStreams: 4 };
/** The call that comes afterwards. */
const FRESH = 0x7fff_ffff;
const REQUEST = Buffer.from("838684410474657374000566726573680179", "hex");
const RESPONSE = Buffer.from("88", "hex");
/** Milliseconds that no sequence of frames may take. */
const LIMIT = 10_000;
/** Bytes by which 500 sessions may grow the process; each had 64 KiB for its output alone. */
const GROWTH = 10_000_000;

/** What a handler has seen, with the data of one piece or many written alike. */
class Log implements StreamHandler {
  readonly lines: string[] = [];
  over = false;

  add(line: string): void {
    assert.equal(this.over, false, `${line} after the close`);
    this.lines.push(line);
  }

  onHeaders(headers: readonly string[], end: boolean): void {
    this.add(`headers ${headers.join(" ")}${end ? ", end" : ""}`);
  }

  onData(chunk: Buffer): void {
    const last = this.lines.at(-1);
    const text = chunk.toString("latin1");
    if (last?.startsWith("data ") && !this.over) this.lines[this.lines.length - 1] = last + text;
    else this.add(`data ${text}`);
  }

  onEnd(): void {
    this.add("end");
  }

  onClose(error: Http2Error | undefined): void {
    assert.ok(error === undefined || error instanceof Http2Error);
    this.add(`close ${error?.code}`);
    this.over = true;
  }
}

/** Behind all input: which bytes are too many must not depend on the pieces that they come in. */
function consume(stream: Stream, bytes: number): void {
  setImmediate(() => stream.consumed(bytes));
}

interface Outcome {
  readonly logs: string[][];
  readonly end: string;
}

/** Checks how the session stands, ends the connection, and checks that all is over. */
async function finish(
  session: Session,
  wire: Wire,
  logs: readonly Log[],
  served: () => boolean,
  /** Whether the input ends between two frames, and so a call that follows can be understood. */
  whole: boolean,
): Promise<Outcome> {
  for (let i = 0; i < 50 && session.state !== "closed" && !served(); i++) await turn();
  const { state, error } = session;
  const sent = decode(Buffer.concat(wire.sent).subarray(session.role === "client" ? PREFACE.length : 0));
  if (state === "closed" && error?.code === "ERR_HTTP2_PROTOCOL") {
    const last = sent.at(-1)!;
    assert.equal(last.type, GOAWAY, "the last word is a GOAWAY");
    assert.equal(readU32(last.payload, 4), error.http2Code);
  } else if (whole && state !== "closed") assert.ok(served(), `a ${state} session that serves no call`);
  wire.close();
  await session.closed;
  assert.equal(session.size, 0);
  await turn();
  for (const log of logs) assert.ok(log.over, "a handler was not told of the end");
  return { logs: logs.map(({ lines }) => lines), end: `${error?.code} ${error?.http2Code}` };
}

/** Brings the input to a server whose handlers behave in different ways. */
async function serve(
  input: Buffer,
  sizes: readonly number[],
  mayKeep: boolean,
  whole: boolean,
): Promise<Outcome> {
  const wire = new Wire();
  const logs: Log[] = [];
  let served = false;
  const session = Session.server(
    wire,
    (stream, headers, end) => {
      const way = logs.length % 5;
      if (headers.includes("fresh")) served = true;
      const log = new Log();
      logs.push(log);
      log.onHeaders(headers, end);
      if (way !== 4) stream.respond([":status", "200"], false);
      const { onData, onEnd } = Log.prototype;
      log.onData = (chunk) => {
        if (way === 3) throw new Error("a handler that throws");
        onData.call(log, chunk);
        if (way === 0) {
          stream.write(Buffer.from(chunk));
        }
        if (way < 2) consume(stream, chunk.length);
      };
      log.onEnd = () => {
        onEnd.call(log);
        stream.end(["x-trailer", "1"]);
      };
      if (end) stream.end(["x-trailer", "1"]);
      return log;
    },
    options,
  );
  for (const piece of cut(input, sizes)) wire.push(piece, mayKeep);
  if (whole) {
    wire.push(encode({ type: HEADERS, flags: END_HEADERS | END_STREAM, id: FRESH, payload: REQUEST }), true);
    // It counts as served, too, when so many calls are open that this one is refused.
    served ||= session.size >= options.maxConcurrentStreams!;
  }
  return finish(session, wire, logs, () => served, whole);
}

const CALLS = 3;

/** Brings the input to a client with calls under way. */
async function receive(
  input: Buffer,
  sizes: readonly number[],
  mayKeep: boolean,
  whole: boolean,
): Promise<Outcome> {
  const wire = new Wire();
  const session = Session.client(wire, options);
  const logs: Log[] = [];
  for (let i = 0; i < CALLS; i++) {
    const log = new Log();
    const stream = session.open(request, log);
    stream.write(Buffer.alloc(10 + i * 40_000, 0x62));
    if (i > 0) stream.end();
    const { onData } = Log.prototype;
    log.onData = (chunk) => {
      if (i === 2) throw new Error("a handler that throws");
      onData.call(log, chunk);
      if (i === 1) consume(stream, chunk.length);
    };
    logs.push(log);
  }
  for (const piece of cut(input, sizes)) wire.push(piece, mayKeep);
  let served = false;
  if (whole) {
    const limits = Buffer.from("0003000003e80004000003e8", "hex");
    wire.push(encode({ type: SETTINGS, flags: 0, id: 0, payload: limits }), true);
    await turn();
    try {
      const log = new Log();
      const { onClose } = Log.prototype;
      log.onHeaders = () => {
        served = true;
      };
      log.onClose = (error) => {
        served = true;
        onClose.call(log, error);
      };
      const fresh = session.open(request, log);
      logs.push(log);
      wire.push(encode({ type: HEADERS, flags: END_HEADERS, id: fresh.id, payload: RESPONSE }), true);
    } catch (error) {
      assert.ok(error instanceof Http2Error);
      served = true;
    }
  }
  return finish(session, wire, logs, () => served, whole);
}

/** The frames of a good conversation: three calls by a client, and what a server answers. */
async function conversation(): Promise<Record<"client" | "server", Frame[]>> {
  const [a, b] = [new Wire(), new Wire()];
  a.onSent = (bytes) => queueMicrotask(() => b.push(bytes, true));
  b.onSent = (bytes) => queueMicrotask(() => a.push(bytes, true));
  const client = Session.client(a, options);
  Session.server(
    b,
    (stream) => {
      stream.respond([":status", "200", "content-type", "application/grpc"], false);
      return {
        onHeaders: () => {},
        onData(chunk) {
          stream.write(Buffer.from(chunk));
          stream.consumed(chunk.length);
        },
        onEnd: () => stream.end(["grpc-status", "0", "grpc-message", "fine"]),
        onClose: () => {},
      };
    },
    options,
  );
  await client.ready;
  for (const size of [10, 3000, 0]) {
    const answer = ask(client, Buffer.alloc(size, 0x63), [...request, "x-size", String(size)]);
    assert.equal(await answer.over, undefined);
    assert.equal(answer.bytes, size);
  }
  await client.ping();
  const sent = [Buffer.concat(a.sent).subarray(PREFACE.length), Buffer.concat(b.sent)];
  a.close();
  b.close();
  return { client: decode(sent[0]!), server: decode(sent[1]!) };
}

const split = fc.array(fc.constantFrom(1, 2, 3, 9, 10, 17, 100, 5000), { minLength: 1, maxLength: 8 });

const roles = {
  server: { run: serve, from: "client", lead: PREFACE },
  client: { run: receive, from: "server", lead: Buffer.alloc(0) },
} as const;

/** Whole and in pieces, kept and not: the same must come of it. */
async function check(role: keyof typeof roles, input: Buffer, sizes: readonly number[], whole: boolean) {
  const { run, lead } = roles[role];
  const bytes = Buffer.concat([lead, input]);
  const start = performance.now();
  const outcome = await run(bytes, [], true, whole);
  assert.deepEqual(await run(bytes, sizes, false, whole), outcome);
  assert.ok(performance.now() - start < LIMIT, "too slow");
}

// With the acknowledgement, or the small window would not count yet.
const hello = Buffer.concat(
  [0, ACK].map((flags) => encode({ type: SETTINGS, flags, id: 0, payload: Buffer.alloc(0) })),
);

for (const role of ["server", "client"] as const) {
  test(`random frames to a ${role}`, { timeout: 200_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 30 }), split, (frames, sizes) =>
        check(role, Buffer.concat([hello, ...frames.map(encode)]), sizes, true),
      ),
      { includeErrorInReport: true, numRuns: 3000 },
    );
    assert.deepEqual(problems, []);
  });

  test(`a good conversation with faults, to a ${role}`, { timeout: 200_000 }, async () => {
    const frames = (await conversation())[roles[role].from];
    assert.ok(frames.length > 10);
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { maxLength: 6 }), split, (mutations, sizes) => {
        const changed = mutate(frames, mutations);
        const whole = changed.every(
          ({ length, payload }) => length === undefined || length === payload.length,
        );
        return check(role, Buffer.concat(changed.map(encode)), sizes, whole);
      }),
      { includeErrorInReport: true, numRuns: 3000 },
    );
    assert.deepEqual(problems, []);
  });

  test(`random bytes to a ${role}`, { timeout: 200_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), split, (bytes, sizes) =>
        check(role, Buffer.concat([hello, bytes]), sizes, false),
      ),
      { includeErrorInReport: true, numRuns: 1000 },
    );
    assert.deepEqual(problems, []);
  });
}

test("nothing is left of all these sessions", async () => {
  const input = (n: number): Buffer =>
    Buffer.concat([
      PREFACE,
      hello,
      encode({ type: HEADERS, flags: END_HEADERS, id: 1, payload: REQUEST }),
      encode({ type: 0x77, flags: 0, id: 0, payload: Buffer.alloc(n % 3000) }),
    ]);
  const held = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 50; i++) await serve(input(i), [100], true, true);
  gc();
  const before = held();
  for (let i = 0; i < 500; i++) await serve(input(i), [100], true, true);
  // Memory outside the heap is given back in the background.
  for (let i = 0; i < 50 && held() > before + GROWTH; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    gc();
  }
  assert.ok(held() < before + GROWTH, `${held() - before} bytes`);
});
