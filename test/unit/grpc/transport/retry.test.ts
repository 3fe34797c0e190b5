// A call that the server has refused without processing it is made again, once, by itself (grpc-go: stream.go, shouldRetry).
// The server is Node's HTTP/2.
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import * as protobuf from "@bufbuild/protobuf";
import { Client, type ClientWritableStream, type ServiceError, status } from "@grpc/grpc-js";
import { connectGrpc } from "../../../../src/grpc/connection.js";
import type { GrpcTransport } from "../../../../src/grpc/grpc-connection.js";
import { FrameParser } from "../../../../src/http2/parser.js";
import { KV } from "../../../interop/gen/es/kv_pb.js";
import { listenPath } from "../../../support.js";
import { frame, headerBlock } from "../../http2/support.js";

const identity = (bytes: Buffer): Buffer => bytes;
const codec = ["/test.Test/Call", identity, identity] as const;

interface Attempt {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

/** Answers with the request's body, which is one or more messages already. */
function answer({ stream }: Attempt): void {
  const body: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  stream.on("end", () => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat(body));
  });
}

const refuse = ({ stream }: Attempt): void => stream.close(constants.NGHTTP2_REFUSED_STREAM);

let sockets = 0;

/** A client of a server that treats each attempt in its own way, and the later ones as the last. */
async function serve(
  transport: GrpcTransport,
  ways: readonly ((attempt: Attempt) => void)[],
  { redial = true, settings = {} }: { redial?: boolean; settings?: Settings } = {},
) {
  const attempts: Attempt[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({ settings });
  server.on("session", (session) => void sessions.add(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const attempt = { stream, headers };
    const way = ways[Math.min(attempts.length, ways.length - 1)]!;
    attempts.push(attempt);
    way(attempt);
  });
  const address = listenPath(tmpdir(), `goplug-retry-${process.pid}-${++sockets}`);
  await new Promise<void>((resolve) => server.listen(address, resolve));
  const conn = await connectGrpc({ network: "unix", address }, { transport, redial });
  after(() => {
    conn.close();
    for (const session of sessions) session.destroy();
    server.close();
  });
  const client = conn.client(Client);
  const call = (request: Buffer, options: object = {}): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(...codec, request, options, (error: ServiceError | null, reply?: Buffer) =>
        error === null ? resolve(reply!) : reject(error),
      );
    });
  return { attempts, call, client, conn, sessions };
}

for (const transport of ["goplug", "grpc-js"] as const) {
  test(`${transport}: a refused call is made again, with all that it has sent`, async () => {
    const { attempts, call } = await serve(transport, [refuse, answer]);
    const request = Buffer.from("a request");
    assert.deepEqual(await call(request, { deadline: Date.now() + 60_000 }), request);
    assert.equal(attempts.length, 2);
    for (const { headers } of attempts) assert.match(String(headers["grpc-timeout"]), /^[0-9]+m$/);
  });

  test(`${transport}: a call beyond the last one of a GOAWAY is made again on a new connection`, async () => {
    const leave = ({ stream }: Attempt): void => stream.session!.goaway(0, 1);
    const { attempts, call, sessions } = await serve(transport, [answer, leave, answer]);
    assert.equal(String(await call(Buffer.from("1"))), "1");
    assert.equal(String(await call(Buffer.from("2"))), "2");
    assert.equal(attempts.length, 3);
    assert.equal(sessions.size, 2);
  });

  test(`${transport}: a call whose response has begun is not made again`, async () => {
    const begin = ({ stream }: Attempt): void => {
      stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.write(Buffer.of(0, 0, 0, 0, 1, 7), () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    };
    const { attempts, call } = await serve(transport, [begin, answer]);
    await assert.rejects(call(Buffer.from("x")), { code: status.UNAVAILABLE });
    assert.equal(attempts.length, 1);
  });

  test(`${transport}: a call that was reset otherwise is not made again`, async () => {
    const reset = ({ stream }: Attempt): void => stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const { attempts, call } = await serve(transport, [reset, answer]);
    await assert.rejects(call(Buffer.from("x")), { code: status.INTERNAL });
    assert.equal(attempts.length, 1);
  });
}

test("a refused call of conn.protobuf is made again", async () => {
  const { attempts, conn } = await serve("goplug", [refuse, answer]);
  // The echo of a GetRequest reads as a GetResponse.
  const { value } = await conn.protobuf(KV, protobuf).get({ key: "k" });
  assert.equal(Buffer.from(value).toString(), "k");
  assert.equal(attempts.length, 2);
});

test("a call that waits for its place when the connection ends is made again on a new one", async () => {
  const end = ({ stream }: Attempt): void => stream.session!.destroy();
  const settings = { maxConcurrentStreams: 1 };
  const { attempts, call } = await serve("goplug", [end, answer], { settings });
  const request = Buffer.from("a request");
  const [sent, waiting] = await Promise.allSettled([call(request), call(request)]);
  assert.equal(sent.status === "rejected" && sent.reason.code, status.UNAVAILABLE);
  assert.deepEqual(waiting, { status: "fulfilled", value: request });
  assert.equal(attempts.length, 2);
});

test("a call that is refused a second time fails", async () => {
  const { attempts, call } = await serve("goplug", [refuse]);
  await assert.rejects(call(Buffer.from("x")), { code: status.UNAVAILABLE });
  assert.equal(attempts.length, 2);
  await assert.rejects(call(Buffer.from("x")), { code: status.UNAVAILABLE });
  assert.equal(attempts.length, 4);
});

test("a refused call of a connection that cannot be made again fails with UNAVAILABLE", async () => {
  const leave = ({ stream }: Attempt): void => stream.session!.goaway(0, 1);
  const { attempts, call } = await serve("goplug", [answer, leave], { redial: false });
  await call(Buffer.from("1"));
  await assert.rejects(call(Buffer.from("2")), { code: status.UNAVAILABLE });
  assert.equal(attempts.length, 2);
});

/** Starts a call that streams its requests. */
function stream(client: Client): { sink: ClientWritableStream<Buffer>; reply: Promise<Buffer> } {
  let sink!: ClientWritableStream<Buffer>;
  const reply = new Promise<Buffer>((resolve, reject) => {
    sink = client.makeClientStreamRequest(...codec, (error: ServiceError | null, value?: Buffer) =>
      error === null ? resolve(value!) : reject(error),
    );
  });
  return { sink, reply };
}

test("a stream of requests is made again from its first message, and goes on", async () => {
  let refused!: () => void;
  const wasRefused = new Promise<void>((resolve) => {
    refused = resolve;
  });
  const later = (attempt: Attempt): void => {
    // Behind the first two messages, of seven bytes each with their prefixes.
    let bytes = 0;
    attempt.stream.on("data", ({ length }: Buffer) => {
      bytes += length;
      if (bytes < 14) return;
      refuse(attempt);
      refused();
    });
  };
  const whole: Buffer[] = [];
  const collect = ({ stream }: Attempt): void => {
    stream.on("data", (chunk: Buffer) => whole.push(chunk));
    stream.on("end", () => {
      stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.of(0, 0, 0, 0, 1, 7));
    });
  };
  const { attempts, client } = await serve("goplug", [later, collect]);
  const { sink, reply } = stream(client);
  sink.write(Buffer.from("m1"));
  sink.write(Buffer.from("m2"));
  await wasRefused;
  sink.write(Buffer.from("m3"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  sink.write(Buffer.from("m4"));
  sink.end();
  assert.deepEqual(await reply, Buffer.of(7));
  assert.equal(attempts.length, 2);
  const messages = ["m1", "m2", "m3", "m4"].map((text) => `\0\0\0\0\x02${text}`);
  assert.equal(Buffer.concat(whole).toString(), messages.join(""));
});

test("a call that has sent more than is kept of it is not made again", async () => {
  const later = (attempt: Attempt): void => {
    let bytes = 0;
    attempt.stream.on("data", ({ length }: Buffer) => {
      bytes += length;
      if (bytes > 300_000) refuse(attempt);
    });
  };
  const { attempts, client } = await serve("goplug", [later, answer]);
  const { sink, reply } = stream(client);
  const failed = assert.rejects(reply, { code: status.UNAVAILABLE });
  sink.on("error", () => {});
  for (let i = 0; i < 31; i++) if (!sink.write(Buffer.alloc(10_000))) await once(sink, "drain");
  await failed;
  assert.equal(attempts.length, 1);
});

test("a call that is called off while it waits for a new connection is over", async () => {
  const leave = ({ stream }: Attempt): void => stream.session!.goaway(0, 1);
  const { attempts, call, client } = await serve("goplug", [answer, leave, answer]);
  await call(Buffer.from("1"));
  const running = client.makeUnaryRequest(...codec, Buffer.from("2"), () => {});
  const ended = once(running, "status");
  while (attempts.length < 2) await new Promise((resolve) => setImmediate(resolve));
  running.cancel();
  const [{ code }] = (await ended) as [{ code: number }];
  assert.equal(code, status.CANCELLED);
});

test("calls after the connection's end leave nothing behind at its socket", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  after(() => process.off("warning", note));
  const hangUp = ({ stream }: Attempt): void => stream.session!.destroy();
  const { conn } = await serve("goplug", [hangUp], { redial: false });
  const kv = conn.protobuf(KV, protobuf);
  for (let i = 0; i < 20; i++) {
    await assert.rejects(kv.get({}), { code: status.UNAVAILABLE });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

test("a call that the server's timer resets at its deadline has exceeded it", async () => {
  const { call } = await serve("goplug", [
    ({ stream }) => {
      // Busy until the deadline has passed, so that the reset comes before the client's own timer can fire.
      const end = Date.now() + 60;
      while (Date.now() < end);
      stream.close(constants.NGHTTP2_CANCEL);
    },
  ]);
  for (let i = 0; i < 5; i++) {
    await assert.rejects(call(Buffer.alloc(1), { deadline: Date.now() + 30 }), {
      code: status.DEADLINE_EXCEEDED,
    });
  }
});

test("a reset before the deadline is a reset, with grpc-go's status for its code", async () => {
  const codes = [
    [constants.NGHTTP2_CANCEL, status.CANCELLED],
    [constants.NGHTTP2_FLOW_CONTROL_ERROR, status.RESOURCE_EXHAUSTED],
    [constants.NGHTTP2_HTTP_1_1_REQUIRED, status.INTERNAL],
    [0xee, status.UNKNOWN],
  ] as const;
  for (const [code, expected] of codes) {
    const { call } = await serve("goplug", [({ stream }) => stream.close(code)]);
    await assert.rejects(call(Buffer.alloc(1), { deadline: Date.now() + 60_000 }), { code: expected });
  }
});

test("calls of a server that closes its connection behind each answer go over new connections, none of them twice", {
  skip: process.platform === "win32",
}, async () => {
  const begin = frame(1, 4, 1, headerBlock(":status", "200", "content-type", "application/grpc"));
  const answer = Buffer.concat([
    begin,
    frame(0, 0, 1, Buffer.alloc(5)),
    frame(1, 5, 1, headerBlock("grpc-status", "0")),
  ]);
  let calls = 0;
  const server = createSocketServer((socket) => {
    socket.on("error", () => {});
    const parser = new FrameParser(
      {
        frame() {},
        data(flags) {
          if ((flags & 1) === 0) return;
          calls++;
          socket.end(answer);
          socket.destroySoon();
        },
        payload() {},
      },
      1 << 20,
      true,
    );
    socket.on("data", (chunk) => parser.push(chunk));
    socket.write(frame(4, 0, 0));
  });
  const address = listenPath(tmpdir(), `goplug-retry-${process.pid}-${++sockets}`);
  await new Promise<void>((resolve) => server.listen(address, resolve));
  const conn = await connectGrpc({ network: "unix", address }, { redial: true });
  after(() => {
    conn.close();
    server.close();
  });
  const kv = conn.protobuf(KV, protobuf);
  let failed = 0;
  for (let i = 0; i < 40; i++) {
    await kv.get({}).catch(({ code }: { code: number }) => {
      assert.equal(code, status.UNAVAILABLE);
      failed++;
    });
  }
  // The end may also come behind a request that has gone out: the server may have seen that one.
  assert(failed < 10, `${failed} of 40 failed`);
  assert(calls <= 40, `the server had ${calls} calls`);
});
