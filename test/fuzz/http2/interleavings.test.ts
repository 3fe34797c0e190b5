// Random orders of what an application does, with Node's HTTP/2 as the other side: every byte arrives once and in order,
// every stream ends on both sides as it should, and nothing is left.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import fc from "fast-check";
import {
  duplexConnection,
  type HeaderList,
  type OnStream,
  Session,
  type SessionOptions,
  type Stream,
} from "../../../src/http2/index.js";
import { listenPath } from "../../support.js";
import { Recorder, request, until } from "../../unit/http2/support.js";

type Step =
  | { do: "open"; way: "echo" | "refuse" | "trailers" }
  | { do: "write"; which: number; size: number }
  | { do: "end" | "reset" | "pause" | "resume"; which: number }
  | { do: "turn" };

const which = fc.nat(9);
const of = <D extends string>(name: D) => fc.constant(name);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: of("open"),
      way: fc.constantFrom("echo", "echo", "echo", "refuse", "trailers"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: of("write"),
      which,
      size: fc.constantFrom(0, 1, 31, 8192, 8193, 16_384, 16_385, 65_535, 70_000, 300_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: of("end"), which }) },
  { weight: 1, arbitrary: fc.record({ do: of("reset"), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("pause", "resume"), which }) },
  { weight: 2, arbitrary: fc.record({ do: of("turn") }) },
);
const schedule = fc.array(step, { maxLength: 60 });
const windows = fc.constantFrom(1000, 16_384, 65_535, 200_000);

function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 7 + seed * 31) & 0xff;
  return bytes;
}

const digest = (bytes: Buffer): string =>
  `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;

let sockets = 0;

async function listen(server: Server | ReturnType<typeof createHttp2Server>): Promise<string> {
  const path = listenPath(tmpdir(), `goplug-turns-${process.pid}-${++sockets}`);
  server.listen(path);
  await once(server, "listening");
  after(() => void server.close());
  return path;
}

/** Both sides' calls, by what the test needs of either. */
interface Call {
  readonly way: "echo" | "refuse" | "trailers";
  readonly sent: Buffer[];
  ended: boolean;
  wasReset: boolean;
  write(bytes: Buffer): void;
  end(): void;
  reset(): void;
  pause(): void;
  resume(): void;
  /** What the call has seen, when it is over. */
  readonly over: Promise<{ body: Buffer; trailer: string | undefined; failed: boolean }>;
}

async function follow(steps: readonly Step[], open: (way: Call["way"]) => Call): Promise<void> {
  const calls: Call[] = [];
  let seed = 0;
  for (const action of steps) {
    if (action.do === "open") calls.push(open(action.way));
    else if (action.do === "turn") await new Promise((resolve) => setImmediate(resolve));
    else {
      const call = calls[action.which % Math.max(1, calls.length)];
      if (call === undefined) continue;
      if (action.do === "write") {
        if (call.ended || call.wasReset) continue;
        const bytes = pattern(action.size, seed++);
        call.sent.push(Buffer.from(bytes));
        call.write(bytes);
      } else if (action.do === "end") {
        if (!call.ended && !call.wasReset) call.end();
        call.ended = true;
      } else if (action.do === "reset") {
        if (!call.wasReset) call.reset();
        call.wasReset = true;
      } else call[action.do]();
    }
  }
  for (const call of calls) {
    call.resume();
    if (!call.ended && !call.wasReset) call.end();
    call.ended = true;
  }
  for (const call of calls) {
    const { body, trailer, failed } = await call.over;
    const sent = Buffer.concat(call.sent);
    if (call.way === "trailers") {
      assert.equal(body.length, 0);
      if (!call.wasReset) assert.equal(trailer, "none");
    } else if (call.wasReset || call.way === "refuse") {
      assert.ok(sent.subarray(0, body.length).equals(body), "a part of what was sent");
      if (call.way === "refuse" && !call.wasReset) assert.ok(failed);
    } else {
      assert.equal(digest(body), digest(sent));
      assert.equal(trailer, String(sent.length));
      assert.equal(failed, false);
    }
  }
}

test("a client under Node's server", { timeout: 200_000 }, async () => {
  const server = createHttp2Server({ settings: { initialWindowSize: 30_000 } });
  server.on("stream", (stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {});
    if (headers["x-way"] === "refuse") {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    let bytes = 0;
    stream.respond({}, { waitForTrailers: true });
    stream.on("wantTrailers", () => {
      const trailer = headers["x-way"] === "trailers" ? "none" : String(bytes);
      stream.sendTrailers({ "x-bytes": trailer });
    });
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (headers["x-way"] === "echo" && !stream.write(chunk)) {
        stream.pause();
        stream.once("drain", () => stream.resume());
      }
    });
    stream.on("end", () => stream.end());
  });
  const path = await listen(server);
  await fc.assert(
    fc.asyncProperty(schedule, windows, async (steps, streamWindow) => {
      const session = Session.client(duplexConnection(connect(path)), { streamWindow });
      await session.ready;
      await follow(steps, (way) => {
        const recorder = new Recorder();
        const stream = session.open([...request, "x-way", way], recorder);
        recorder.stream = stream;
        let held = 0;
        const { onData } = Recorder.prototype;
        recorder.onData = (chunk: Buffer) => {
          onData.call(recorder, chunk);
          if (!recorder.reading) held += chunk.length;
        };
        return {
          way,
          sent: [],
          ended: false,
          wasReset: false,
          write: (bytes) => void stream.write(bytes),
          end: () => stream.end(),
          reset: () => stream.reset(constants.NGHTTP2_CANCEL),
          pause: () => {
            recorder.reading = false;
          },
          resume: () => {
            recorder.reading = true;
            stream.consumed(held);
            held = 0;
          },
          over: recorder.over.then((error) => ({
            body: recorder.body,
            trailer: recorder.headers[1]?.at(-1),
            failed: error !== undefined,
          })),
        };
      });
      await until(() => session.size === 0, "all streams over");
      assert.ok((await session.ping()) >= 0);
      session.close();
      await session.closed;
    }),
    { includeErrorInReport: true, numRuns: 200 },
  );
});

/** Sends back what comes; it gives the bytes back in another turn. */
function answering(stream: Stream, headers: HeaderList): ReturnType<OnStream> {
  const way = headers.at(-1);
  if (way === "refuse") {
    stream.reset(constants.NGHTTP2_REFUSED_STREAM);
    return new Recorder();
  }
  let bytes = 0;
  let held = 0;
  stream.respond([":status", "200"], false);
  const finish = (): void => stream.end(["x-bytes", way === "trailers" ? "none" : String(bytes)]);
  return {
    onHeaders: (_headers, end) => end && finish(),
    onData(chunk) {
      bytes += chunk.length;
      if (way === "echo" && !stream.write(Buffer.from(chunk))) {
        held += chunk.length;
        return;
      }
      setImmediate(() => stream.consumed(chunk.length));
    },
    onDrain() {
      stream.consumed(held);
      held = 0;
    },
    onEnd: finish,
    onClose() {},
  };
}

test("a server under Node's client", { timeout: 200_000 }, async () => {
  let options: SessionOptions = {};
  let session!: Session;
  const listener = createServer((socket) => {
    session = Session.server(duplexConnection(socket), answering, options);
  });
  const path = await listen(listener);
  await fc.assert(
    fc.asyncProperty(schedule, windows, windows, async (steps, streamWindow, initialWindowSize) => {
      options = { streamWindow };
      const client = connectHttp2("http://test", {
        createConnection: () => connect(path),
        settings: { initialWindowSize },
      });
      await once(client, "connect");
      await follow(steps, (way) => {
        const stream: ClientHttp2Stream = client.request(
          { ":method": "POST", ":path": "/", "x-way": way },
          { endStream: false },
        );
        const body: Buffer[] = [];
        let trailer: string | undefined;
        let failed = false;
        stream.on("data", (chunk: Buffer) => body.push(chunk));
        stream.on("trailers", (headers: IncomingHttpHeaders) => {
          trailer = headers["x-bytes"] as string;
        });
        stream.on("error", () => {
          failed = true;
        });
        const over = new Promise<void>((resolve) => stream.on("close", resolve));
        return {
          way,
          sent: [],
          ended: false,
          wasReset: false,
          write: (bytes) => void stream.write(bytes),
          end: () => void stream.end(),
          reset: () => stream.close(constants.NGHTTP2_CANCEL),
          pause: () => void stream.pause(),
          resume: () => void stream.resume(),
          over: over.then(() => ({ body: Buffer.concat(body), trailer, failed })),
        };
      });
      await until(() => session.size === 0, "all streams over");
      client.close();
      await session.closed;
    }),
    { includeErrorInReport: true, numRuns: 200 },
  );
});
