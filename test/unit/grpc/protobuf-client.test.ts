// What conn.protobuf's callers see of calls that fail: nothing uncaught, nothing lost, and the first cause.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as protobuf from "@bufbuild/protobuf";
import { Metadata, type ServiceError, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { ResponseListeners } from "../../../src/grpc/call-settings.js";
import type { Calls, OngoingCall } from "../../../src/grpc/calls.js";
import { callForMany } from "../../../src/grpc/invoke.js";
import { protobufService } from "../../../src/grpc/protobuf-service.js";
import { writeMessages } from "../../../src/grpc/write-messages.js";
import { AbortedError } from "../../../src/index.js";
import { type GrpcPair, grpcPair } from "../../../src/testing/index.js";
import { ChunkSchema, SinkReplySchema, Stream } from "../../interop/gen/es/stream_pb.js";

interface ServerCall {
  readonly request: { readonly bytes: bigint };
  write(chunk: object): boolean;
  emit(event: "error", error: object): void;
  on(event: string, listener: (chunk: object) => void): void;
  end(): void;
}

let cancelled = 0;
const notThere = { code: status.NOT_FOUND, details: "no such stream" };

const handlers = {
  // `bytes` messages of one byte, then NOT_FOUND.
  source(call: ServerCall) {
    for (let i = 0; i < call.request.bytes; i++)
      call.write(protobuf.create(ChunkSchema, { data: Uint8Array.of(i) }));
    call.emit("error", notThere);
  },
  // Never answers.
  sink(call: ServerCall) {
    call.on("data", () => {});
    call.on("cancelled", () => cancelled++);
  },
  mirror(call: ServerCall) {
    call.on("data", (chunk) => call.write(chunk));
    call.on("cancelled", () => cancelled++);
    call.on("end", () => call.end());
  },
};

let pair: GrpcPair;
before(async () => {
  pair = await grpcPair((server) =>
    server.addService(protobufService(Stream, protobuf), handlers as unknown as UntypedServiceImplementation),
  );
});
after(() => pair[Symbol.asyncDispose]());

const chunk = (byte: number) => ({ data: Uint8Array.of(byte) });

/** Long enough for a status to have come back. */
async function roundTrips(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await assert.rejects(collect(pair.conn.protobuf(Stream, protobuf).source({ bytes: 0n })), { code: 5 });
    await turn();
  }
}

async function collect(chunks: AsyncIterable<{ data: Uint8Array }>, into: number[] = []): Promise<number[]> {
  for await (const { data } of chunks) into.push(...data);
  return into;
}

test("a stream that fails before anybody asks for its first message fails when it is asked", async () => {
  const stream = pair.conn.protobuf(Stream, protobuf).source({ bytes: 0n });
  await roundTrips();
  await assert.rejects(collect(stream), { code: status.NOT_FOUND, details: "no such stream" });
});

test("messages that came before a stream failed are read before the failure is", async () => {
  const stream = pair.conn.protobuf(Stream, protobuf).source({ bytes: 40n });
  await roundTrips();
  const got: number[] = [];
  await assert.rejects(collect(stream, got), { code: status.NOT_FOUND });
  assert.deepEqual(
    got,
    Array.from({ length: 40 }, (_, i) => i),
  );
});

test("a failed stream that nobody reads harms nobody", async () => {
  pair.conn.protobuf(Stream, protobuf).source({ bytes: 0n });
  await roundTrips();
});

test("a stream left before its first message is cancelled at the server", async () => {
  const before = cancelled;
  const stream = pair.conn.protobuf(Stream, protobuf).mirror(forever());
  await roundTrips();
  await stream[Symbol.asyncIterator]().return?.();
  await roundTrips();
  assert.equal(cancelled, before + 1);
});

test("an error of the caller's own input is the cause of the call's error", async () => {
  const failure = new Error("the file is gone");
  const inputs = async function* () {
    yield chunk(1);
    throw failure;
  };
  const causedByInput = (error: ServiceError) => {
    assert.equal(error.code, status.CANCELLED);
    assert.equal(error.cause, failure);
    assert.match(error.message, /the caller's input failed: the file is gone/);
    return true;
  };
  const client = pair.conn.protobuf(Stream, protobuf);
  await assert.rejects(client.sink(inputs()), causedByInput);
  await assert.rejects(collect(client.mirror(inputs())), causedByInput);
});

test("an input that cannot be iterated at all fails the call alike", async () => {
  const failure = new TypeError("no iterator");
  const inputs = {
    [Symbol.asyncIterator](): AsyncIterator<object> {
      throw failure;
    },
  };
  await assert.rejects(pair.conn.protobuf(Stream, protobuf).sink(inputs), { cause: failure });
});

test("the caller's input is ended when the call has ended first", async () => {
  let ended = 0;
  const inputs = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<object>>(() => {}),
      return: async () => ({ done: true as const, value: ended++ }),
    }),
  };
  const stream = pair.conn.protobuf(Stream, protobuf).mirror(inputs);
  await stream[Symbol.asyncIterator]().return?.();
  const abort = new AbortController();
  const sunk = pair.conn.protobuf(Stream, protobuf).sink(inputs, { signal: abort.signal });
  abort.abort();
  await assert.rejects(sunk, AbortedError);
  await roundTrips();
  assert.equal(ended, 2);
});

test("an aborted call is not made at all, and one aborted in mid-stream says so", async () => {
  const client = pair.conn.protobuf(Stream, protobuf);
  const reason = new Error("enough");
  await assert.rejects(collect(client.mirror([], { signal: AbortSignal.abort(reason) })), {
    name: "AbortedError",
    cause: reason,
  });
  const abort = new AbortController();
  const got: number[] = [];
  await assert.rejects(
    async () => {
      for await (const { data } of client.mirror(forever(), { signal: abort.signal })) {
        got.push(...data);
        abort.abort(reason);
      }
    },
    { name: "AbortedError", cause: reason },
  );
  assert.deepEqual(got.slice(0, 1), [7]);
});

/** Calls a `source` that sends a header, messages and a trailer, or a trailer and NOT_FOUND; says what came in which order. */
async function heard(bytes: bigint, options: ResponseListeners = {}): Promise<unknown[]> {
  const source = (call: ServerCall & { sendMetadata(given: Metadata): void; end(given: Metadata): void }) => {
    const [header, trailer] = [new Metadata(), new Metadata()];
    header.set("x-begin", "a");
    trailer.set("x-end-bin", Buffer.of(0, 255));
    if (call.request.bytes === 0n) {
      call.emit("error", { ...notThere, metadata: trailer });
      return;
    }
    call.sendMetadata(header);
    for (let i = 0; i < call.request.bytes; i++)
      call.write(protobuf.create(ChunkSchema, { data: Uint8Array.of(i) }));
    call.end(trailer);
  };
  await using telling = await grpcPair((server) =>
    server.addService(protobufService(Stream, protobuf), {
      ...handlers,
      source,
    } as unknown as UntypedServiceImplementation),
  );
  const order: unknown[] = [];
  const listeners: ResponseListeners = {
    onHeader: (header) => order.push(header.get("x-begin")),
    onTrailer: (trailer) => order.push(trailer.get("x-end-bin")),
    ...options,
  };
  try {
    const stream = telling.conn.protobuf(Stream, protobuf).source({ bytes }, listeners);
    for await (const { data } of stream) order.push(...data);
    order.push("end");
  } catch (error) {
    order.push(error);
  }
  return order;
}

test("callers see headers and trailers of calls that succeed and of those that fail", async () => {
  const [header, ...further] = await heard(2n);
  assert.deepEqual(header, ["a"]);
  assert.deepEqual(
    further.filter((entry) => !Array.isArray(entry)),
    [0, 1, "end"],
  );
  assert.deepEqual(further.filter(Array.isArray), [[Buffer.of(0, 255)]]);
  const [trailer, error, ...more] = await heard(0n);
  assert.deepEqual(trailer, [Buffer.of(0, 255)]);
  assert.equal((error as ServiceError).code, status.NOT_FOUND);
  assert.deepEqual(more, []);
});

test("what a listener for headers or trailers throws is the call's error", async () => {
  const failure = new Error("unwanted");
  const throwing = () => {
    throw failure;
  };
  assert.equal((await heard(2n, { onHeader: throwing })).at(-1), failure);
  assert.equal((await heard(0n, { onTrailer: throwing })).at(-1), failure);
});

test("a message of the caller's that cannot be sent is the call's error, whether there is one or many", async () => {
  const client = pair.conn.protobuf(Stream, protobuf);
  const unfit = { bytes: "many" } as never;
  const expected = { code: status.INTERNAL, details: /^Request message serialization failure: / };
  await assert.rejects(collect(client.source(unfit)), expected);
  await assert.rejects(client.sink([chunk(1), { data: 5 } as never]), expected);
  await assert.rejects(collect(client.mirror([{ data: 5 } as never])), expected);
  for (const none of [null, 5, "text", [chunk(1)]]) {
    await assert.rejects(collect(client.source(none as never)), { ...expected, message: /request must be/ });
  }
  for (const none of [null, 5, {}]) {
    const refused = { code: "ERR_OPTION", option: "messages" };
    await assert.rejects(client.sink(none as never), refused);
    await assert.rejects(collect(client.mirror(none as never)), refused);
  }
});

test("metadata that is no object of keys and values is refused", async () => {
  const client = pair.conn.protobuf(Stream, protobuf);
  for (const metadata of [null, 5, "x-a: b", [["x-a", "b"]], new Map([["x-a", "b"]]), new Headers()]) {
    const called = client.sink([], { metadata: metadata as never });
    await assert.rejects(called, { code: "ERR_OPTION", option: "metadata" });
  }
});

test("of a stream that nobody reads 16 messages are taken, or 64 KiB and the message that goes beyond", async () => {
  for (const [size, most] of [
    [1, 16],
    [30 * 1024, 3],
    [1024 * 1024, 1],
  ] as const) {
    let given = 0;
    const calls: Calls = {
      start(_, listener) {
        const call: OngoingCall = {
          send: () => true,
          halfClose() {},
          read: () => void setImmediate(() => listener.onMessage(Buffer.alloc(size, ++given))),
          cancel() {},
        };
        listener.onBegin(call);
        return call;
      },
    };
    const method = {
      path: "/a.B/C",
      requestSerialize: () => Buffer.alloc(0),
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    const answers = callForMany(calls, method, { one: null }, {}, callForMany);
    for (let i = 0; i < 40; i++) await turn();
    assert.equal(given, most);
    for (let i = 1; i <= 40; i++) assert.equal((await answers.next()).value?.[0], i);
    await answers.return?.();
  }
});

test("a listener that is no function is refused by name", async () => {
  const client = pair.conn.protobuf(Stream, protobuf);
  await assert.rejects(client.sink([], { onTrailer: 5 as never }), {
    code: "ERR_OPTION",
    option: "onTrailer",
  });
});

test("writing past back-pressure leaves no listener behind", async () => {
  const listeners: number[] = [];
  const call = Object.assign(new EventEmitter(), {
    write() {
      listeners.push(call.listenerCount("drain"));
      setImmediate(() => call.emit("drain"));
      return false;
    },
  });
  const inputs = Array.from({ length: 200 }, (_, i) => chunk(i));
  assert.equal(await writeMessages(call, inputs, (message) => message).done, true);
  assert.deepEqual(new Set(listeners), new Set([1]));
  assert.equal(listeners.length, 200);
});

test("more than the peer's window is written, and read", async () => {
  const inputs = Array.from({ length: 40 }, () => ({ data: new Uint8Array(256 * 1024) }));
  let bytes = 0;
  for await (const { data } of pair.conn.protobuf(Stream, protobuf).mirror(inputs)) bytes += data.length;
  assert.equal(bytes, 40 * 256 * 1024);
});

test("a method with one answer can be called with messages from an array", async () => {
  await using sums = await grpcPair((server) =>
    server.addService(protobufService(Stream, protobuf), {
      ...handlers,
      sink(call: ServerCall, answer: (error: null, reply: object) => void) {
        let bytes = 0n;
        call.on("data", () => bytes++);
        call.on("end", () => answer(null, protobuf.create(SinkReplySchema, { bytes })));
      },
    } as unknown as UntypedServiceImplementation),
  );
  assert.equal((await sums.conn.protobuf(Stream, protobuf).sink([chunk(1), chunk(2)])).bytes, 2n);
});

async function* forever() {
  for (;;) {
    yield chunk(7);
    await turn();
  }
}
