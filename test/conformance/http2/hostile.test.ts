// Hostile frames, and what this server makes of them beside golang.org/x/net/http2's.
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

const settings = frame(4, 0, 0);
// :method POST, :scheme http, :path /, :authority x
const block = "838684 4101 78";
const begin = frame(1, 4, 1, block);
const whole = frame(1, 5, 1, block);
const repeat = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array(times).fill(bytes));

/** GOAWAY or RST_STREAM with a code, or an answer to stream 1: the first of them that comes. */
type Verdict = string;

interface Hostile {
  readonly name: string;
  /** What comes after preface and SETTINGS. */
  readonly frames: Buffer;
  readonly ours: Verdict;
  /** x/net's, where it is another. */
  readonly go?: Verdict;
  /** Why they are not the same. */
  readonly because?: string;
}

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

/** The first verdict on what was sent. */
function verdictOf(port: number, frames: Buffer): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => settle("nothing"), 20_000);
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
    const answered = (): void => void setTimeout(() => settle("answer"), 300);
    socket.on("data", (chunk) => parser.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => settle("closed"));
    socket.write(Buffer.concat([PREFACE, settings, frames]));
  });
}

let own: Server;
let go: ChildProcess | undefined;
let goPort = 0;

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
  if (needs("http2server").skip !== false) return;
  go = spawn(binary("http2server"), { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(go.stdout!, "data")) as [Buffer];
  goPort = Number(line.toString());
});

after(() => {
  own.close();
  go?.kill("SIGKILL");
});

for (const hostile of table) {
  test(hostile.name, async () => {
    assert.equal(await verdictOf((own.address() as AddressInfo).port, hostile.frames), hostile.ours);
  });
}

test("Go's server says the same, or there is a reason", needs("http2server"), async () => {
  const differences: Record<string, string[]> = { expected: [], found: [] };
  for (const { name, frames, ours, go: theirs = ours, because } of table) {
    differences.expected!.push(`${name}: ${theirs}`);
    differences.found!.push(`${name}: ${await verdictOf(goPort, frames)}`);
    assert.equal(because === undefined, theirs === ours, `${name}: a reason`);
  }
  assert.deepEqual(differences.found, differences.expected);
});

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
    assert.equal(await verdictOf((own.address() as AddressInfo).port, frames), "GOAWAY 11");
  });
}

test("streams that are opened and reset without end end with ENHANCE_YOUR_CALM", async () => {
  const each: Buffer[] = [];
  for (let id = 1; id < 80_000; id += 2) each.push(frame(1, 4, id, block), frame(3, 0, id, "00000008"));
  assert.equal(await verdictOf((own.address() as AddressInfo).port, Buffer.concat(each)), "GOAWAY 11");
});

test("header fields without end end with ENHANCE_YOUR_CALM, before the memory does", async () => {
  const filler = Buffer.alloc(16_384, 0x61);
  const frames = Buffer.concat([frame(1, 1, 1, block), ...Array(2200).fill(frame(9, 0, 1, filler))]);
  assert.equal(await verdictOf((own.address() as AddressInfo).port, frames), "GOAWAY 11");
});
