// Hostile frames, and what this server makes of them beside golang.org/x/net/http2's and grpc-go's.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import { PREFACE } from "../../../src/http2/frame.js";
import { duplexConnection, Session } from "../../../src/http2/index.js";
import { FrameParser } from "../../../src/http2/parser.js";
import { binary } from "../../interop/case.js";
import { needs } from "../../support.js";
import { frame } from "../../unit/http2/support.js";
import { assertVerdicts, type Hostile, type Verdict } from "./hostile-table.js";

const settings = frame(4, 0, 0);
const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
const literal = (name: string, value: string): string =>
  [name, value].map((text) => text.length.toString(16).padStart(2, "0") + hex(text)).join("");
// A call of grpc-go's interoperability service, which the others answer as any request. :method POST, :scheme http
const path = "/grpc.testing.TestService/EmptyCall";
const block = `8386 04${literal("", path).slice(2)} 4101 78 00${literal("content-type", "application/grpc")}`;
const begin = frame(1, 4, 1, block);
const whole = Buffer.concat([begin, frame(0, 1, 1, "00 00000000")]);
const repeat = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array(times).fill(bytes));

/**
 * Frames: what comes after preface and SETTINGS. Verdicts: GOAWAY or RST_STREAM with a code, or an answer to stream 1, the first
 * of them that comes. Go is x/net.
 */
const table: readonly Hostile[] = [
  { name: "DATA on stream 0", frames: frame(0, 0, 0, "00"), ours: "GOAWAY 1" },
  { name: "DATA on a stream that was never opened", frames: frame(0, 0, 3, "00"), ours: "GOAWAY 1" },
  {
    name: "DATA behind the end of the stream",
    frames: Buffer.concat([begin, frame(0, 1, 1, ""), frame(0, 0, 1, "00")]),
    ours: "RST 5",
  },
  {
    name: "padding as long as its frame",
    frames: Buffer.concat([begin, frame(0, 8, 1, "05 00")]),
    ours: "GOAWAY 1",
  },
  { name: "HEADERS on an even stream", frames: frame(1, 5, 2, block), ours: "GOAWAY 1" },
  { name: "HEADERS on stream 0", frames: frame(1, 5, 0, block), ours: "GOAWAY 1" },
  {
    name: "a field in upper case",
    frames: frame(1, 5, 1, `${block} 4001 4101 62`),
    ours: "RST 1",
  },
  { name: "a request without :path", frames: frame(1, 5, 1, "838641 0178"), ours: "RST 1" },
  { name: "an index beyond the table", frames: frame(1, 5, 1, "be"), ours: "GOAWAY 9" },
  { name: "a table larger than allowed", frames: frame(1, 5, 1, "3fe2 1f82"), ours: "GOAWAY 9" },
  { name: "CONTINUATION of nothing", frames: frame(9, 4, 1, block), ours: "GOAWAY 1" },
  {
    name: "PING amid header fields",
    frames: Buffer.concat([frame(1, 1, 1, block), frame(6, 0, 0, "0000000000000000")]),
    ours: "GOAWAY 1",
  },
  {
    name: "a frame beyond the size allowed",
    frames: frame(0, 0, 1, Buffer.alloc(17_000)),
    ours: "GOAWAY 6",
    go: "GOAWAY 1",
    because: "Go takes 1 MiB in a frame, and sees DATA on a stream that was never opened",
  },
  {
    name: "RST_STREAM on a stream that was never opened",
    frames: frame(3, 0, 1, "00000008"),
    ours: "GOAWAY 1",
  },
  {
    name: "RST_STREAM of the wrong size",
    frames: Buffer.concat([begin, frame(3, 0, 1, "00")]),
    ours: "GOAWAY 6",
  },
  { name: "SETTINGS on a stream", frames: frame(4, 0, 1), ours: "GOAWAY 1" },
  { name: "SETTINGS of the wrong size", frames: frame(4, 0, 0, "00"), ours: "GOAWAY 6" },
  { name: "an acknowledgement with a payload", frames: frame(4, 1, 0, "000400000001"), ours: "GOAWAY 6" },
  { name: "SETTINGS_ENABLE_PUSH of 2", frames: frame(4, 0, 0, "000200000002"), ours: "GOAWAY 1" },
  { name: "a window beyond 2^31-1", frames: frame(4, 0, 0, "000480000000"), ours: "GOAWAY 3" },
  { name: "a frame size below 16,384", frames: frame(4, 0, 0, "000500000001"), ours: "GOAWAY 1" },
  {
    name: "PUSH_PROMISE from a client",
    frames: Buffer.concat([begin, frame(5, 4, 1, "00000002 82")]),
    ours: "GOAWAY 1",
  },
  { name: "PING on a stream", frames: frame(6, 0, 1, "0000000000000000"), ours: "GOAWAY 1" },
  { name: "PING of the wrong size", frames: frame(6, 0, 0, "00"), ours: "GOAWAY 6" },
  { name: "GOAWAY on a stream", frames: frame(7, 0, 1, "00000000 00000000"), ours: "GOAWAY 1" },
  { name: "WINDOW_UPDATE of 0 for the connection", frames: frame(8, 0, 0, "00000000"), ours: "GOAWAY 1" },
  {
    name: "WINDOW_UPDATE of 0 for a stream",
    frames: Buffer.concat([begin, frame(8, 0, 1, "00000000")]),
    ours: "RST 1",
  },
  { name: "WINDOW_UPDATE of the wrong size", frames: frame(8, 0, 0, "00"), ours: "GOAWAY 6" },
  {
    name: "an overflow of the connection's window",
    frames: repeat(frame(8, 0, 0, "7fffffff"), 2),
    ours: "GOAWAY 3",
  },
  {
    name: "an overflow of a stream's window",
    frames: Buffer.concat([begin, repeat(frame(8, 0, 1, "7fffffff"), 2)]),
    ours: "RST 3",
  },
  {
    name: "trailers that do not end the stream",
    frames: Buffer.concat([begin, frame(1, 4, 1, `00${literal("x-a", "b")}`)]),
    ours: "RST 1",
  },
  {
    name: "trailers that end the stream",
    frames: Buffer.concat([begin, frame(0, 0, 1, "00 00000000"), frame(1, 5, 1, `00${literal("x-a", "b")}`)]),
    ours: "answer",
  },
  {
    name: "a pseudo-header among the trailers",
    frames: Buffer.concat([begin, frame(1, 5, 1, "82")]),
    ours: "RST 1",
  },
  {
    name: "HEADERS on a lower stream than before",
    frames: Buffer.concat([frame(1, 4, 3, block), frame(1, 4, 1, block)]),
    ours: "GOAWAY 5",
    go: "GOAWAY 1",
    because: "which streams were there and which were passed over is not remembered",
  },
  {
    name: "a body longer than its content-length",
    frames: Buffer.concat([
      frame(1, 4, 1, `${block} 00${literal("content-length", "3")}`),
      frame(0, 1, 1, "00 00000000"),
    ]),
    ours: "RST 1",
  },
  {
    name: "a body shorter than its content-length",
    frames: Buffer.concat([
      frame(1, 4, 1, `${block} 00${literal("content-length", "9")}`),
      frame(0, 1, 1, "00 00000000"),
    ]),
    ours: "RST 1",
    go: "answer",
    because: "in Go it is the handler that hears of it",
  },
  {
    name: "a stream that depends on itself, by PRIORITY",
    frames: Buffer.concat([begin, frame(2, 0, 1, "00000001 10")]),
    ours: "RST 1",
  },
  {
    name: "a stream that depends on itself, by HEADERS",
    frames: frame(1, 0x24, 1, `00000001 10 ${block}`),
    ours: "RST 1",
  },
  {
    name: "PRIORITY of the wrong size",
    frames: Buffer.concat([begin, frame(2, 0, 1, "00000003")]),
    ours: "RST 6",
    go: "GOAWAY 6",
    because: "RFC 9113, section 6.3: an error of the stream",
  },
  {
    name: "WINDOW_UPDATE for a stream that the client has ended",
    frames: Buffer.concat([whole, frame(8, 0, 1, "00000001")]),
    ours: "answer",
  },
  {
    name: "WINDOW_UPDATE for a stream that was never opened",
    frames: frame(8, 0, 3, "00000001"),
    ours: "GOAWAY 1",
  },
  {
    name: "a window of the stream that a change of the initial one overflows",
    frames: Buffer.concat([begin, frame(8, 0, 1, "7fff0000"), frame(4, 0, 0, "00047fffffff")]),
    ours: "GOAWAY 3",
  },
  {
    name: "an initial window of 0, and then 65,535 again",
    frames: Buffer.concat([
      frame(4, 0, 0, "000400000000"),
      begin,
      frame(4, 0, 0, "00040000ffff"),
      frame(0, 1, 1, "00 00000000"),
    ]),
    ours: "answer",
  },
  {
    name: "two sizes of HPACK's table in one SETTINGS",
    frames: Buffer.concat([frame(4, 0, 0, "000100000000 000100001000"), whole]),
    ours: "answer",
    go: "GOAWAY 1",
    because: "RFC 9113, section 6.5.3: values are processed in their order",
  },
  {
    name: "SETTINGS_ENABLE_PUSH of 1",
    frames: Buffer.concat([frame(4, 0, 0, "000200000001"), whole]),
    ours: "answer",
  },
  {
    name: "SETTINGS_MAX_CONCURRENT_STREAMS of 0 from a client",
    frames: Buffer.concat([frame(4, 0, 0, "000300000000"), whole]),
    ours: "answer",
  },
  { name: "a frame size beyond 2^24-1", frames: frame(4, 0, 0, "000501000000"), ours: "GOAWAY 1" },
  {
    name: "an acknowledgement of SETTINGS that were never sent",
    frames: Buffer.concat([frame(4, 1, 0), frame(4, 1, 0), frame(4, 1, 0), whole]),
    ours: "answer",
    go: "GOAWAY 1",
    because: "as in grpc-go: it does no harm",
  },
  {
    name: "an answer to a PING that was never sent",
    frames: Buffer.concat([frame(6, 1, 0, "00000000000000ff"), whole]),
    ours: "answer",
  },
  {
    name: "RST_STREAM for a stream that was reset before",
    frames: Buffer.concat([
      begin,
      frame(3, 0, 1, "00000008"),
      frame(3, 0, 1, "00000008"),
      frame(1, 4, 3, block),
      frame(3, 0, 3, "00000000"),
      frame(1, 5, 5, block),
      frame(1, 5, 2, block),
    ]),
    ours: "GOAWAY 1",
  },
  {
    name: "a second :authority",
    frames: frame(1, 4, 1, `${block} 4101 79`),
    ours: "RST 1",
  },
  {
    name: "the field connection",
    frames: frame(1, 4, 1, `${block} 00${literal("connection", "close")}`),
    ours: "RST 1",
    go: "RST 0",
    because: "x/net answers with a status of 400",
  },
  {
    name: "an unknown frame is skipped",
    frames: Buffer.concat([frame(99, 255, 7, "01"), whole]),
    ours: "answer",
  },
  {
    name: "a priority is skipped",
    frames: Buffer.concat([frame(2, 0, 9, "0000000b 10"), whole]),
    ours: "answer",
  },
];

/**
 * What grpc-go's server does otherwise. Where its framer finds a fault, it closes the connection without a word; it does
 * not look at what says nothing to it (frames for streams that were never opened, windows that overflow, priorities, the
 * length of a body, most settings); and it takes no trailers.
 */
const grpcGo: Readonly<Record<string, Verdict>> = {
  "trailers that do not end the stream": "GOAWAY 1",
  "trailers that end the stream": "GOAWAY 1",
  "a pseudo-header among the trailers": "GOAWAY 1",
  "HEADERS on a lower stream than before": "GOAWAY 1",
  "a request without :path": "answer",
  "a body longer than its content-length": "answer",
  "a body shorter than its content-length": "answer",
  "DATA on stream 0": "closed",
  "padding as long as its frame": "closed",
  "HEADERS on stream 0": "closed",
  "an index beyond the table": "closed",
  "a table larger than allowed": "closed",
  "CONTINUATION of nothing": "closed",
  "PING amid header fields": "closed",
  "a frame beyond the size allowed": "closed",
  "RST_STREAM of the wrong size": "closed",
  "SETTINGS on a stream": "closed",
  "SETTINGS of the wrong size": "closed",
  "an acknowledgement with a payload": "closed",
  "a window beyond 2^31-1": "closed",
  "PING on a stream": "closed",
  "PING of the wrong size": "closed",
  "GOAWAY on a stream": "closed",
  "WINDOW_UPDATE of 0 for the connection": "closed",
  "WINDOW_UPDATE of the wrong size": "closed",
  "PRIORITY of the wrong size": "closed",
  "DATA on a stream that was never opened": "nothing",
  "RST_STREAM on a stream that was never opened": "nothing",
  "SETTINGS_ENABLE_PUSH of 2": "nothing",
  "a frame size below 16,384": "nothing",
  "PUSH_PROMISE from a client": "nothing",
  "an overflow of the connection's window": "nothing",
  "an overflow of a stream's window": "nothing",
  "a stream that depends on itself, by PRIORITY": "nothing",
  "a stream that depends on itself, by HEADERS": "nothing",
  "WINDOW_UPDATE for a stream that was never opened": "nothing",
  "a window of the stream that a change of the initial one overflows": "nothing",
  "a frame size beyond 2^24-1": "nothing",
};

/** Milliseconds to wait for a verdict that has to come. */
const PATIENCE_MS = 20_000;

/** The first verdict on what was sent. What is expected to be the last word is not waited behind for long. */
function verdictOf(port: number, frames: Buffer, expected: Verdict): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => settle("nothing"), expected === "nothing" ? 1000 : PATIENCE_MS);
    const settle = (verdict: Verdict): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(verdict);
    };
    const parser = new FrameParser(
      {
        frame(type, _flags, id, payload) {
          if (type === 7) settle(`GOAWAY ${payload.readUInt32BE(4)}`);
          else if (type === 3) settle(`RST ${payload.readUInt32BE(0)}`);
          else if (type === 1 && id === 1) answered();
        },
        data: () => {},
        payload: () => {},
      },
      16_384,
      false,
    );
    // Not at once: where a stream was answered before, what follows still has its verdict.
    const answered = (): void =>
      void setTimeout(() => settle("answer"), expected === "answer" ? 300 : PATIENCE_MS);
    socket.on("data", (chunk) => parser.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => settle("closed"));
    socket.write(Buffer.concat([PREFACE, settings, frames]));
  });
}

let own: Server;
/** golang.org/x/net's server, and grpc-go's. */
const peers: { readonly name: "http2server" | "suiteserver"; child?: ChildProcess; port: number }[] = [
  { name: "http2server", port: 0 },
  { name: "suiteserver", port: 0 },
];

before(async () => {
  own = createServer((socket) => {
    Session.server(duplexConnection(socket), (stream) => ({
      onHeaders: () => stream.respond([":status", "200"], true),
      onData: (chunk) => stream.consumed(chunk.length),
      onEnd: () => stream.respond([":status", "200"], true),
      onClose() {},
    }));
  });
  await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
  for (const peer of peers) {
    if (needs(peer.name).skip !== false) continue;
    peer.child = spawn(binary(peer.name), { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(peer.child.stdout!, "data")) as [Buffer];
    peer.port = Number(line.toString());
  }
});

after(() => {
  own.close();
  for (const { child } of peers) child?.kill("SIGKILL");
});

for (const hostile of table) {
  test(hostile.name, async () => {
    const { port } = own.address() as AddressInfo;
    assert.equal(await verdictOf(port, hostile.frames, hostile.ours), hostile.ours);
  });
}

for (const { name } of peers) {
  test(`${name}, of Go's, says the same, or there is a reason`, needs(name), async () => {
    const { port } = peers.find((peer) => peer.name === name)!;
    const ofGrpcGo = ({ name: what, ours }: Hostile): Verdict => grpcGo[what] ?? ours;
    await assertVerdicts(
      table,
      (frames, expected) => verdictOf(port, frames, expected),
      name === "suiteserver" ? ofGrpcGo : undefined,
    );
  });
}

async function assertCalmed(frames: Buffer): Promise<void> {
  const expected = "GOAWAY 11";
  assert.equal(await verdictOf((own.address() as AddressInfo).port, frames, expected), expected);
}

const one = frame(6, 0, 0, "0000000000000000");
const floods: Record<string, Buffer> = {
  PING: repeat(one, 30_000),
  SETTINGS: repeat(settings, 30_000),
  "empty DATA": Buffer.concat([begin, repeat(frame(0, 0, 1), 30_000)]),
  "unknown frames": repeat(frame(99, 0, 0), 30_000),
  PRIORITY: repeat(frame(2, 0, 9, "0000000b 10"), 30_000),
  WINDOW_UPDATE: repeat(frame(8, 0, 0, "00000001"), 30_000),
  "empty CONTINUATION": Buffer.concat([frame(1, 1, 1, block), repeat(frame(9, 0, 1), 30_000)]),
};
for (const [name, frames] of Object.entries(floods)) {
  test(`a flood of ${name} ends with ENHANCE_YOUR_CALM`, async () => {
    await assertCalmed(frames);
  });
}

test("streams that are opened and reset without end end with ENHANCE_YOUR_CALM", async () => {
  const each: Buffer[] = [];
  for (let id = 1; id < 80_000; id += 2) each.push(frame(1, 4, id, block), frame(3, 0, id, "00000008"));
  await assertCalmed(Buffer.concat(each));
});

test("header fields without end end with ENHANCE_YOUR_CALM, before the memory does", async () => {
  const filler = Buffer.alloc(16_384, 0x61);
  const frames = Buffer.concat([frame(1, 1, 1, block), ...Array(2200).fill(frame(9, 0, 1, filler))]);
  await assertCalmed(frames);
});
