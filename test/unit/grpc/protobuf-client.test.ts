// What conn.protobuf's callers see of calls that fail: nothing uncaught, nothing lost, and the first cause.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as protobuf from "@bufbuild/protobuf";
import { type ServiceError, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
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
