// Implementations as promises and iterables, over the wire: protobuf-es's services, and those of other generators.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { EventEmitter } from "node:events";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import * as protobuf from "@bufbuild/protobuf";
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  AbortedError,
  addProtobufService,
  GrpcError,
  type HandlerContext,
  type ProtobufHandlers,
  promiseHandlers,
  protobufPlugin,
} from "../../../src/index.js";
import { type GrpcPair, grpcPair, grpcPluginPair } from "../../../src/testing/index.js";
import { KV as KVes } from "../../interop/gen/es/kv_pb.js";
import { Stream as StreamEs } from "../../interop/gen/es/stream_pb.js";
import { KVClient, KVService } from "../../interop/gen/kv.js";
import { StreamService } from "../../interop/gen/stream.js";
import { type Bytes, ToolsService } from "../../interop/gen/tools.js";
import { call as promised } from "../../interop/grpc-support.js";

/** What each test sets: the body of Source, Sink and Mirror. */
let handlers: ProtobufHandlers<typeof StreamEs> = {};
const current: ProtobufHandlers<typeof StreamEs> = {
  source: (...given) => handlers.source!(...given),
  sink: (...given) => handlers.sink!(...given),
  mirror: (...given) => handlers.mirror!(...given),
};

let es: GrpcPair;
/** The same through ts-proto's definition of the service. */
let ts: GrpcPair;
before(async () => {
  es = await grpcPair((server) => addProtobufService(server, StreamEs, protobuf, current));
  ts = await grpcPair((server) =>
    server.addService(
      StreamService,
      promiseHandlers(
        StreamService,
        current as unknown as Parameters<typeof promiseHandlers<typeof StreamService>>[1],
      ),
    ),
  );
});
after(() => Promise.all([es, ts].map((pair) => pair[Symbol.asyncDispose]())));

const stream = (pair: GrpcPair) => pair.conn.protobuf(StreamEs, protobuf);
const data = (...bytes: number[]) => ({ data: Uint8Array.from(bytes) });

async function collect(chunks: AsyncIterable<{ data: Uint8Array }>): Promise<number[]> {
  const all: number[] = [];
  for await (const { data } of chunks) all.push(...data);
  return all;
}

for (const [name, pair] of [
  ["protobuf-es", () => es],
  ["ts-proto", () => ts],
] as const) {
  test(`${name}: the three kinds of streams`, async () => {
    handlers = {
      async *source({ bytes }) {
        for (let i = 0; i < bytes; i++) yield data(i);
      },
      async sink(chunks) {
        const got = await collect(chunks);
        return { bytes: BigInt(got.length), sha256: "-" };
      },
      async *mirror(chunks) {
        for await (const chunk of chunks) yield chunk;
      },
    };
    assert.deepEqual(
      await collect(stream(pair()).source({ bytes: 100n })),
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.equal((await stream(pair()).sink([data(1, 2), data(3)])).bytes, 3n);
    assert.deepEqual(await collect(stream(pair()).mirror([data(1), data(2)])), [1, 2]);
  });

  test(`${name}: what a handler throws is the status`, async () => {
    const exit5 = [process.execPath, ["-e", "process.exit(5)"]] as const;
    const ofProgram = await promisify(execFile)(...exit5).then(
      () => assert.fail(),
      (error: Error) => error,
    );
    const cases: [unknown, number, string][] = [
      [new GrpcError(status.NOT_FOUND, "no such key"), status.NOT_FOUND, "no such key"],
      [new Error("disk full"), status.UNKNOWN, "disk full"],
      [{ code: status.ABORTED, details: "twice" }, status.ABORTED, "twice"],
      [Object.assign(new Error("[not_found] x"), { code: 5, rawMessage: "x" }), status.NOT_FOUND, "x"],
      [new AbortedError("work", undefined), status.CANCELLED, "work was aborted"],
      [new DOMException("too late", "TimeoutError"), status.DEADLINE_EXCEEDED, "too late"],
      [Object.assign(new Error("ENOENT: x"), { code: "ENOENT" }), status.UNKNOWN, "ENOENT: x"],
      // Their numbers are no gRPC statuses: DOMException's old codes, and a program's exit code.
      [new DOMException("no base64", "InvalidCharacterError"), status.UNKNOWN, "no base64"],
      [ofProgram, status.UNKNOWN, ofProgram.message],
      ["just text", status.UNKNOWN, "just text"],
      [undefined, status.UNKNOWN, "undefined"],
      // 0 is OK, which no error is.
      [Object.assign(new Error("odd"), { code: 0 }), status.UNKNOWN, "odd"],
    ];
    for (const [error, code, details] of cases) {
      handlers = {
        async *source() {
          yield data(1);
          throw error;
        },
        sink: () => Promise.reject(error),
        mirror() {
          throw error;
        },
      };
      const expected = (got: ServiceError) => {
        assert.deepEqual([got.code, got.details], [code, details]);
        return true;
      };
      await assert.rejects(collect(stream(pair()).source({})), expected);
      await assert.rejects(stream(pair()).sink([]), expected);
      await assert.rejects(collect(stream(pair()).mirror([])), expected);
    }
  });
}

test("header and trailer go to the caller, with an error as well", async () => {
  const metadata = new Metadata();
  metadata.set("own", "yes");
  handlers = {
    sink: async (_, context) => {
      context.header.set("early", context.metadata.get("asked")[0]!);
      context.trailer.set("late", "2");
      throw new GrpcError(status.DATA_LOSS, "gone", { metadata });
    },
  };
  const asked = new Metadata();
  asked.set("asked", "1");
  let header: Metadata | undefined;
  const interceptor = (options: never, next: (options: never) => never) =>
    Object.assign(Object.create(next(options) as object), {
      start(this: object, sent: Metadata, listener: { onReceiveMetadata(metadata: Metadata): void }) {
        const onReceiveMetadata = (got: Metadata): void => {
          header = got;
          listener.onReceiveMetadata(got);
        };
        const seen = { ...listener, onReceiveMetadata };
        Object.getPrototypeOf(this).start(sent, seen);
      },
    });
  const error = await stream(es)
    .sink([], { metadata: asked, interceptors: [interceptor as never] })
    .then(
      () => assert.fail("it should fail"),
      (reason: ServiceError) => reason,
    );
  assert.deepEqual(error.metadata.get("late"), ["2"]);
  assert.deepEqual(error.metadata.get("own"), ["yes"]);
  assert.deepEqual(header?.get("early"), ["1"]);
});

test("a caller that leaves fires the handler's signal and ends its iterables", async () => {
  let context: HandlerContext | undefined;
  let left = 0;
  handlers = {
    async *mirror(chunks, given) {
      context = given;
      try {
        for await (const chunk of chunks) yield chunk;
      } finally {
        left++;
      }
    },
  };
  for await (const _ of stream(es).mirror(endless())) break;
  while (left === 0) await turn();
  assert.ok(context?.signal.aborted);
  assert.ok(context.signal.reason instanceof AbortedError);
});

test("the deadline is the caller's, and none without one", async () => {
  const deadlines: (Date | undefined)[] = [];
  handlers = {
    sink: (_, { deadline }) => {
      deadlines.push(deadline);
      return {};
    },
  };
  await stream(es).sink([]);
  const before = Date.now();
  await stream(es).sink([], { timeout: 60_000 });
  assert.equal(deadlines[0], undefined);
  assert.ok(Math.abs(deadlines[1]!.getTime() - before - 60_000) < 30_000);
});

test("a call that was answered fires no signal", async () => {
  let signal: AbortSignal | undefined;
  handlers = {
    sink(_, context) {
      signal = context.signal;
      return {};
    },
  };
  await stream(es).sink([]);
  await stream(es).sink([]);
  assert.equal(signal?.aborted, false);
});

test("answers go out no faster than the caller takes them", async () => {
  let made = 0;
  handlers = {
    async *source() {
      for (; made < 1000; made++) yield { data: new Uint8Array(65_536) };
    },
  };
  const chunks = stream(es).source({});
  const iterator = chunks[Symbol.asyncIterator]();
  await iterator.next();
  for (let i = 0; i < 200; i++) await turn();
  assert.ok(made < 200, `${made} were made while one was read`);
  await iterator.return?.();
});

test("methods that are missing answer UNIMPLEMENTED", async () => {
  await using pair = await grpcPair((server) => {
    addProtobufService(server, StreamEs, protobuf, {});
    server.addService(KVService, promiseHandlers(KVService, { put: async () => ({}) }));
  });
  await assert.rejects(stream(pair).sink([]), { code: status.UNIMPLEMENTED });
  const kv = pair.conn.client(KVClient);
  await promised(kv, kv.put, { key: "a", value: Buffer.of(1) });
  await assert.rejects(promised(kv, kv.get, { key: "a" }), { code: status.UNIMPLEMENTED });
});

test("an implementation may be an instance of a class", async () => {
  class Echo {
    readonly #prefix = 9;
    async echo({ data }: Bytes) {
      return { data: Buffer.from([this.#prefix, ...data]) };
    }
  }
  await using pair = await grpcPair((server) =>
    server.addService(ToolsService, promiseHandlers(ToolsService, new Echo())),
  );
  const { Tools } = await import("../../interop/gen/es/tools_pb.js");
  const { data } = await pair.conn.protobuf(Tools, protobuf).echo({ data: Uint8Array.of(1) });
  assert.deepEqual([...data], [9, 1]);
});

test("an answer that cannot be sent ends the call, and the handler's iterable", async () => {
  let left = false;
  handlers = {
    async *source() {
      try {
        for (;;) yield { data: "no bytes" as unknown as Uint8Array };
      } finally {
        left = true;
      }
    },
  };
  await assert.rejects(collect(stream(es).source({})), (error: ServiceError) => error.code !== status.OK);
  while (!left) await turn();
});

test("a service of protobuf-es is a plugin type by itself", async () => {
  const kv = protobufPlugin(KVes, protobuf);
  const values = new Map<string, Uint8Array>();
  await using pair = await grpcPluginPair({
    kv: kv.implement({
      put: ({ key, value }) => void values.set(key, value),
      get({ key }) {
        const value = values.get(key);
        if (value === undefined) throw new GrpcError(status.NOT_FOUND, `key not found: ${key}`);
        return { value };
      },
    }),
  });
  const store = await pair.client.dispense("kv");
  await store.put({ key: "a", value: Uint8Array.of(5) });
  assert.deepEqual([...(await store.get({ key: "a" })).value], [5]);
  await assert.rejects(store.get({ key: "b" }), { code: status.NOT_FOUND, details: "key not found: b" });
});

async function* endless() {
  for (;;) {
    yield data(7);
    await turn();
  }
}

test("a thrown text that has no UTF-8 ends its call alone, also on grpc-js's own server", {
  timeout: 30_000,
}, async (t) => {
  const server = new Server();
  const thrown = [new GrpcError(9, "a\ud800b"), Object.assign(new Error("c\udc00"), { code: 5 })];
  const implementation = { get: async () => Promise.reject(thrown.shift()) };
  server.addService(KVService, promiseHandlers(KVService, implementation));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  // Of itself grpc-js asks the proxy of the environment for this machine, too.
  const direct = { "grpc.enable_http_proxy": 0 };
  const client = new KVClient(`127.0.0.1:${port}`, credentials.createInsecure(), direct);
  t.after(() => {
    client.close();
    server.forceShutdown();
  });
  await assert.rejects(promised(client, client.get, { key: "k" }), { code: 9, details: "a\ufffdb" });
  await assert.rejects(promised(client, client.get, { key: "k" }), { code: 5, details: "c\ufffd" });
});

test("a value that throws when it is read, or whose metadata cannot be sent, ends its call alone", async () => {
  const unreadable = {
    get code() {
      throw new Error("no");
    },
  };
  const details = "the handler threw a value that cannot be read";
  const badMetadata = new GrpcError(5, "gone", { metadata: { "no key": "x" } });
  for (const pair of [es, ts]) {
    for (const [thrown, expected] of [
      [unreadable, { code: status.UNKNOWN, details }],
      [badMetadata, { code: 5, details: /^gone \(its metadata cannot be sent: .*no key/ }],
    ] as const) {
      const fail = () => {
        throw thrown;
      };
      handlers = { sink: fail, source: fail };
      await assert.rejects(stream(pair).sink([]), expected);
      await assert.rejects(collect(stream(pair).source({})), expected);
    }
  }
});

test("a handler that throws the status OK has failed all the same", async () => {
  handlers = {
    sink: () => {
      throw new GrpcError(status.OK, "fine");
    },
    source: () => {
      throw new GrpcError(status.OK, "fine");
    },
  };
  for (const pair of [es, ts]) {
    await assert.rejects(stream(pair).sink([]), { code: status.UNKNOWN, details: "fine" });
    await assert.rejects(collect(stream(pair).source({})), { code: status.UNKNOWN, details: "fine" });
  }
});

test("handlers that destroy their call, or end a unary one by the event, have ended it", async () => {
  const destroying = (error?: Error) => (call: { destroy(error?: Error): void }) => void call.destroy(error);
  for (const [how, expected] of [
    [destroying(), { code: status.UNKNOWN, details: "the handler has destroyed its call" }],
    [destroying(new Error("no source")), { code: status.UNKNOWN, details: "no source" }],
    [
      destroying(Object.assign(new Error(), { code: 9, details: "not now" })),
      { code: 9, details: "not now" },
    ],
  ] as const) {
    await using pair = await grpcPair((server) => {
      server.addService(StreamService, {
        source: how,
        mirror: how,
        sink: () => {},
      } as unknown as UntypedServiceImplementation);
      server.addService(KVService, {
        get: (call: EventEmitter) => void call.emit("error", { code: 9, details: "by event" }),
      } as unknown as UntypedServiceImplementation);
    });
    await assert.rejects(collect(stream(pair).source({})), expected);
    await assert.rejects(collect(stream(pair).mirror([data(1)])), expected);
    const kv = pair.conn.protobuf(KVes, protobuf);
    await assert.rejects(kv.get({}), { code: 9, details: "by event" });
  }
});

test("of what a handler does not read little is taken, however large its messages", async () => {
  let read!: () => void;
  let begins: Promise<void>;
  const got: number[] = [];
  handlers = {
    async sink(requests) {
      await begins;
      for await (const { data: bytes } of requests) got.push(bytes.length);
      return { bytes: BigInt(got.length) };
    },
  };
  for (const pair of [es, ts]) {
    got.length = 0;
    begins = new Promise((resolve) => {
      read = resolve;
    });
    let given = 0;
    const size = 512 * 1024;
    const sunk = stream(pair).sink(
      (function* () {
        for (; given < 40; given++) yield { data: new Uint8Array(size) };
      })(),
    );
    for (let before = -1; before !== given; ) {
      before = given;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // One that waits for the handler, the window of 1 MiB, one under way at the client, and what the socket holds.
    assert.ok(given < 10, `${given} messages were taken`);
    read();
    assert.equal((await sunk).bytes, 40n);
    assert.deepEqual(new Set(got), new Set([size]));
  }
});
