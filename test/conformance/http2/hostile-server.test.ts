// Servers that break the rules, and what a call of this client's comes to beside one of grpc-go's.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ServiceError } from "@grpc/grpc-js";
import { connectGrpc } from "../../../src/grpc/connection.js";
import { FrameParser } from "../../../src/http2/parser.js";
import { binary } from "../../interop/case.js";
import { needs } from "../../support.js";
import { frame, headerBlock } from "../../unit/http2/support.js";
import { assertVerdicts, type Hostile, type Verdict } from "./hostile-table.js";

const settings = frame(4, 0, 0);
const ack = frame(4, 1, 0);

const response = headerBlock(":status", "200", "content-type", "application/grpc");
const trailers = headerBlock("grpc-status", "0");
const message = "00 00000000";
const begin = frame(1, 4, 1, response);
const body = frame(0, 0, 1, message);
const end = frame(1, 5, 1, trailers);
const whole = Buffer.concat([begin, body, end]);
const goAway = (lastId: string, code = "00000000"): Buffer => frame(7, 0, 0, `${lastId} ${code}`);

const silent = "grpc-go closes the connection without a word";
const ignored = "grpc-go ignores it, here until its deadline; by RFC 9113 it ends the connection";
const lax = "grpc-go lets it pass; golang.org/x/net's client does not";
const early = "grpc-go takes an informational response for the final one; golang.org/x/net's client does not";
const told = "by RFC 9113, section 5.1, the server hears of it; grpc-go ignores it";

/**
 * Frames: what comes after SETTINGS, once the request is whole; stream 1 is the call's. Verdicts: the call's status code, and what
 * the client said to the server at its end, the first RST_STREAM or GOAWAY with a code, or nothing. Go is grpc-go.
 */
const table: readonly Hostile[] = [
  { name: "a response as it should be", frames: whole, ours: "0" },
  {
    name: "DATA before the response's HEADERS",
    frames: Buffer.concat([body, whole]),
    ours: "13 RST 1",
    go: "2",
    because: lax,
  },
  {
    name: "DATA before the response's HEADERS, which ends the stream",
    frames: frame(0, 1, 1, message),
    ours: "13 RST 1",
    go: "13",
    because: lax,
  },
  {
    name: "an empty DATA frame before the response's HEADERS",
    frames: Buffer.concat([frame(0, 0, 1), whole]),
    ours: "13 RST 1",
    go: "0",
    because: lax,
  },
  {
    name: "a second HEADERS that does not end the stream",
    frames: Buffer.concat([begin, body, frame(1, 4, 1, trailers)]),
    ours: "13 RST 1",
  },
  {
    name: "HEADERS behind the end of the stream",
    frames: Buffer.concat([whole, end]),
    ours: "0 RST 5",
    go: "0",
    because: told,
  },
  {
    name: "DATA behind the end of the stream",
    frames: Buffer.concat([whole, body]),
    ours: "0 RST 5",
    go: "0",
    because: told,
  },
  {
    name: "a body longer than its content-length",
    frames: Buffer.concat([
      frame(
        1,
        4,
        1,
        headerBlock(":status", "200", "content-type", "application/grpc", "content-length", "3"),
      ),
      body,
      end,
    ]),
    ours: "0",
  },
  {
    name: "a body shorter than its content-length",
    frames: Buffer.concat([
      frame(
        1,
        4,
        1,
        headerBlock(":status", "200", "content-type", "application/grpc", "content-length", "9"),
      ),
      body,
      end,
    ]),
    ours: "0",
  },
  {
    name: "informational responses before the response",
    frames: Buffer.concat([
      frame(1, 4, 1, headerBlock(":status", "100")),
      frame(1, 4, 1, headerBlock(":status", "103", "link", "</x>")),
      whole,
    ]),
    ours: "0",
    go: "2 RST 1",
    because: early,
  },
  {
    name: "an informational response that ends the stream",
    frames: frame(1, 5, 1, headerBlock(":status", "103")),
    ours: "13 RST 1",
    go: "2 RST 1",
    because: early,
  },
  {
    name: "a response of 101",
    frames: Buffer.concat([frame(1, 4, 1, headerBlock(":status", "101")), whole]),
    ours: "0",
    go: "2 RST 1",
    because: early,
  },
  {
    name: "a response without :status",
    frames: frame(1, 4, 1, headerBlock("content-type", "application/grpc")),
    ours: "13 RST 1",
  },
  {
    name: "a :status that is no number",
    frames: frame(1, 4, 1, headerBlock(":status", "abc")),
    ours: "13 RST 1",
  },
  {
    name: "a pseudo-header behind other fields",
    frames: frame(1, 4, 1, headerBlock("content-type", "application/grpc", ":status", "200")),
    ours: "13 RST 1",
  },
  {
    name: "a field in upper case",
    frames: frame(1, 4, 1, headerBlock(":status", "200", "content-type", "application/grpc", "X-A", "b")),
    ours: "13 RST 1",
  },
  {
    name: "a pseudo-header among the trailers",
    frames: Buffer.concat([begin, body, frame(1, 5, 1, headerBlock("grpc-status", "0", ":status", "200"))]),
    ours: "13 RST 1",
  },
  {
    name: "RST_STREAM with NO_ERROR behind the whole response",
    frames: Buffer.concat([whole, frame(3, 0, 1, "00000000")]),
    ours: "0",
  },
  {
    name: "RST_STREAM with NO_ERROR instead of trailers",
    frames: Buffer.concat([begin, body, frame(3, 0, 1, "00000000")]),
    ours: "13",
  },
  {
    name: "RST_STREAM of the wrong size",
    frames: Buffer.concat([begin, frame(3, 0, 1, "00")]),
    ours: "14 GOAWAY 6",
    go: "14",
    because: silent,
  },
  {
    name: "RST_STREAM on a stream that was never opened",
    frames: frame(3, 0, 5, "00000008"),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "GOAWAY twice, the second with a lower stream, and the answer to a stream below both",
    frames: Buffer.concat([goAway("7fffffff"), goAway("00000001"), whole]),
    ours: "0",
  },
  {
    name: "GOAWAY twice, the second with a higher stream",
    frames: Buffer.concat([goAway("00000001"), goAway("00000003"), whole]),
    ours: "0",
  },
  {
    name: "GOAWAY with an even stream",
    frames: Buffer.concat([goAway("00000002"), whole]),
    ours: "0",
  },
  {
    name: "GOAWAY of the wrong size",
    frames: frame(7, 0, 0, "00000001"),
    ours: "14 GOAWAY 6",
    go: "14",
    because: silent,
  },
  {
    name: "WINDOW_UPDATE for a stream that has ended",
    frames: Buffer.concat([begin, body, frame(8, 0, 1, "00000001"), end, frame(8, 0, 1, "00000001")]),
    ours: "0",
  },
  {
    name: "WINDOW_UPDATE beyond all windows for a stream that has ended",
    frames: Buffer.concat([whole, frame(8, 0, 1, "7fffffff"), frame(8, 0, 1, "7fffffff")]),
    ours: "0",
  },
  {
    name: "WINDOW_UPDATE of 0 for a stream that is half closed",
    frames: Buffer.concat([begin, frame(8, 0, 1, "00000000")]),
    ours: "13 RST 1",
  },
  {
    name: "WINDOW_UPDATE of 0 for the connection",
    frames: frame(8, 0, 0, "00000000"),
    ours: "14 GOAWAY 1",
    go: "14",
    because: silent,
  },
  {
    name: "a window of the stream that overflows",
    frames: Buffer.concat([begin, frame(8, 0, 1, "7fffffff"), body, end]),
    ours: "13 RST 3",
    go: "0",
    because: lax,
  },
  {
    name: "a window of the connection that overflows",
    frames: frame(8, 0, 0, "7fffffff"),
    ours: "14 GOAWAY 3",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "WINDOW_UPDATE for a stream that was never opened",
    frames: frame(8, 0, 5, "00000001"),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "an initial window that falls to 0 when the request is out",
    frames: Buffer.concat([frame(4, 0, 0, "000400000000"), whole]),
    ours: "0",
  },
  {
    name: "an initial window beyond 2^31-1",
    frames: frame(4, 0, 0, "000480000000"),
    ours: "14 GOAWAY 3",
    go: "14",
    because: silent,
  },
  {
    name: "no streams at all from now on",
    frames: Buffer.concat([frame(4, 0, 0, "000300000000"), whole]),
    ours: "0",
  },
  {
    name: "two sizes of HPACK's table in one SETTINGS",
    frames: Buffer.concat([frame(4, 0, 0, "000100000000 000100001000"), whole]),
    ours: "0",
  },
  {
    name: "SETTINGS_ENABLE_PUSH of 0",
    frames: Buffer.concat([frame(4, 0, 0, "000200000000"), whole]),
    ours: "0",
  },
  {
    name: "SETTINGS_ENABLE_PUSH of 1",
    frames: frame(4, 0, 0, "000200000001"),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "SETTINGS_ENABLE_PUSH of 2",
    frames: frame(4, 0, 0, "000200000002"),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "PUSH_PROMISE",
    frames: frame(5, 4, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), headerBlock(":path", "/")])),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "PRIORITY of a stream on itself",
    frames: Buffer.concat([begin, frame(2, 0, 1, "00000001 10"), body, end]),
    ours: "13 RST 1",
    go: "0",
    because: lax,
  },
  {
    name: "HEADERS whose stream depends on itself",
    frames: Buffer.concat([
      frame(1, 0x24, 1, Buffer.concat([Buffer.from([0, 0, 0, 1, 16]), response])),
      body,
      end,
    ]),
    ours: "13 RST 1",
    go: "0",
    because: lax,
  },
  {
    name: "HEADERS on a stream that was never opened",
    frames: frame(1, 4, 5, response),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "HEADERS on a stream of the server's",
    frames: frame(1, 4, 2, response),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "DATA on a stream that was never opened",
    frames: frame(0, 0, 5, message),
    ours: "14 GOAWAY 1",
    go: "4 RST 8",
    because: ignored,
  },
  {
    name: "DATA on stream 0",
    frames: frame(0, 0, 0, message),
    ours: "14 GOAWAY 1",
    go: "14",
    because: silent,
  },
  {
    name: "padding as long as its frame",
    frames: Buffer.concat([begin, frame(0, 8, 1, "05 00")]),
    ours: "14 GOAWAY 1",
    go: "14",
    because: silent,
  },
  {
    name: "an answer to a PING that was never sent",
    frames: Buffer.concat([frame(6, 1, 0, "00000000000000ff"), whole]),
    ours: "0",
  },
  {
    name: "an acknowledgement of SETTINGS that were never sent",
    frames: Buffer.concat([ack, ack, whole]),
    ours: "0",
  },
  {
    name: "PING amid header fields",
    frames: Buffer.concat([frame(1, 0, 1, response), frame(6, 0, 0, "0000000000000000")]),
    ours: "14 GOAWAY 1",
    go: "14",
    because: silent,
  },
  {
    name: "a frame beyond the size allowed",
    frames: Buffer.concat([begin, frame(0, 0, 1, Buffer.alloc(17_000))]),
    ours: "14 GOAWAY 6",
    go: "14",
    because: silent,
  },
];

/** Listens for one call, to answer its request with these frames. */
async function serve(frames: Buffer): Promise<{ port: number; said: () => Verdict; stop: () => void }> {
  const sockets = new Set<Socket>();
  let said = "";
  const tell = (what: string): void => {
    if (said === "") said = what;
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let answered = false;
    const answer = (): void => {
      if (answered) return;
      answered = true;
      socket.write(frames);
    };
    const parser = new FrameParser(
      {
        frame(type, _flags, _id, payload) {
          if (type === 7 && payload.readUInt32BE(4) !== 0) tell(`GOAWAY ${payload.readUInt32BE(4)}`);
          else if (type === 3 && payload.readUInt32BE(0) !== 0) tell(`RST ${payload.readUInt32BE(0)}`);
        },
        data(flags, _id, length) {
          if (flags & 1 && length === 0) answer();
        },
        payload(_chunk, last) {
          if (last) answer();
        },
      },
      1 << 20,
      true,
    );
    socket.write(Buffer.concat([settings, ack]));
    socket.on("data", (chunk) => parser.push(chunk));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    said: () => said,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** What a call comes to. @param make returns the status code */
async function verdictOn(
  frames: Buffer,
  expected: Verdict,
  make: (port: number, expected: Verdict) => Promise<number>,
): Promise<Verdict> {
  const { port, said, stop } = await serve(frames);
  try {
    const code = await make(port, expected);
    const verdict = (): Verdict => `${code} ${said()}`.trim();
    // What the client had to say is on its way: what is expected is given time, and what is not expected some, too.
    await sleep(50);
    for (let waited = 50; verdict() !== expected && waited < 10_000; waited += 50) await sleep(50);
    return verdict();
  } finally {
    stop();
  }
}

const identity = (bytes: Buffer): Buffer => bytes;

async function call(port: number): Promise<number> {
  const conn = await connectGrpc({ network: "tcp", address: `127.0.0.1:${port}` }, { transport: "goplug" });
  try {
    return await new Promise<number>((resolve) => {
      const deadline = { deadline: Date.now() + 20_000 };
      conn
        .client(Client)
        .makeUnaryRequest(
          "/grpc.testing.TestService/EmptyCall",
          identity,
          identity,
          Buffer.alloc(0),
          deadline,
          (error: ServiceError | null) => resolve(error?.code ?? 0),
        );
    });
  } finally {
    conn.close();
  }
}

for (const { name, frames, ours } of table) {
  test(name, async () => {
    assert.equal(await verdictOn(frames, ours, call), ours);
  });
}

let go: ChildProcess | undefined;
let codes: AsyncIterator<string>;

before(() => {
  if (needs("callpeer").skip !== false) return;
  go = spawn(binary("callpeer"), { stdio: ["pipe", "pipe", "inherit"] });
  codes = createInterface({ input: go.stdout! })[Symbol.asyncIterator]();
});

after(() => go?.kill("SIGKILL"));

/** A call that is expected to end by its deadline (4) gets a short one. */
async function goCall(port: number, expected: Verdict): Promise<number> {
  go!.stdin!.write(`${port} ${expected.startsWith("4 ") ? 2000 : 20_000}\n`);
  const late = setTimeout(() => go!.kill("SIGKILL"), 60_000);
  const { value, done } = await codes.next();
  clearTimeout(late);
  assert.ok(!done, "callpeer answers nothing: was it built from this source?");
  return Number(value);
}

test("grpc-go's client comes to the same, or there is a reason", needs("callpeer"), async () => {
  await assertVerdicts(table, (frames, expected) => verdictOn(frames, expected, goCall));
});
