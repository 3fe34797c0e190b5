// The services of go-fixtures/proto's kv, tools and stream by protobuf-es, without grpc-js.
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as protobuf from "@bufbuild/protobuf";
import { grpcPlugin } from "../../../../src/definition/grpc-plugin.js";
import { GrpcError } from "../../../../src/grpc/errors.js";
import { addProtobufService, type ProtobufHandlers } from "../../../../src/grpc/protobuf-handlers.js";
import { GrpcStatus } from "../../../../src/grpc/status.js";
import { LEVELS } from "../../../../src/hclog/logger.js";
import { pluginLogger } from "../../../../src/plugin/logger.js";
import { KV } from "../../gen/es/kv_pb.js";
import { Stream } from "../../gen/es/stream_pb.js";
import { Tools } from "../../gen/es/tools_pb.js";
import { lastWords, pattern, write } from "../serve-fixture.js";

const logger = pluginLogger({ name: "kv" });
const values = new Map<string, Uint8Array>();

const kv: ProtobufHandlers<typeof KV> = {
  get({ key }) {
    const value = values.get(key);
    if (value === undefined) throw new GrpcError(GrpcStatus.NOT_FOUND, `key not found: ${key}`);
    return { value };
  },
  put({ key, value }) {
    values.set(key, value);
  },
};

let cancelled = 0;
const never = new Promise<never>(() => {});
const number = async (n: number | bigint | Promise<number>) => ({ n: BigInt(await n) });

const tools: ProtobufHandlers<typeof Tools> = {
  echo: ({ data }) => ({ data }),
  sleep: ({ n }) => number(sleep(Number(n), Number(n))),
  pid: () => number(process.pid),
  env: ({ text }) => ({ text: process.env[text] ?? "" }),
  fail({ code, text }, { header, trailer }) {
    header.set("goplug-header", "yes");
    trailer.set("goplug-trailer", String(code));
    if (code !== 0) throw new GrpcError(code, text);
  },
  metadata(_, { metadata }) {
    const pairs = Object.keys(metadata.getMap())
      .filter((key) => key.startsWith("goplug-"))
      .map((key) => [key, Buffer.from(metadata.get(key).at(-1)!)] as const);
    return { pairs: Object.fromEntries(pairs) };
  },
  writeStdout: ({ n }) => number(write(process.stdout, pattern(Number(n)))),
  writeStderr: ({ n }) => number(write(process.stderr, pattern(Number(n)))),
  writeLines({ n }) {
    for (let i = 0; i < n; i++) {
      console.log(`out ${i}`);
      console.error(`err ${i}`);
    }
    return { n };
  },
  print: ({ data }) => number(write(process.stdout, data)),
  printErr: ({ data }) => number(write(process.stderr, data)),
  logAll({ text }) {
    for (const [n, level] of LEVELS.entries()) logger[level](text, { method: "LogAll", n });
    return number(LEVELS.length);
  },
  rawStderr: ({ text }) => number(writeSync(2, text)),
  hang(_, { signal }) {
    signal.addEventListener("abort", () => cancelled++);
    return never;
  },
  cancelled: () => number(cancelled),
  exit({ n }) {
    lastWords();
    process.exit(Number(n));
  },
  crash({ text }) {
    lastWords();
    setImmediate(() => {
      throw new Error(text);
    });
    return never;
  },
  killSelf() {
    process.kill(process.pid, "SIGKILL");
    return never;
  },
  block({ n }) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(n));
    return { n };
  },
  freeze() {
    process.kill(process.pid, "SIGSTOP");
  },
};

const stream: ProtobufHandlers<typeof Stream> = {
  async *source({ bytes, chunk, code, text, stay }, { signal }) {
    const size = chunk || 65_536;
    // The pattern repeats after 256 bytes.
    const repeated = pattern(size + 256);
    for (let start = 0; start < bytes; start += size) {
      const length = Math.min(size, Number(bytes) - start);
      yield { data: repeated.subarray(start & 0xff, (start & 0xff) + length) };
    }
    if (stay) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    if (code !== 0) throw new GrpcError(code, text);
  },
  async sink(chunks) {
    const hash = createHash("sha256");
    let bytes = 0n;
    for await (const { data } of chunks) {
      hash.update(data);
      bytes += BigInt(data.length);
    }
    return { bytes, sha256: hash.digest("hex") };
  },
  async count(chunks) {
    let bytes = 0;
    for await (const { data } of chunks) bytes += data.length;
    return { bytes: BigInt(bytes) };
  },
  mirror: (chunks) => chunks,
};

export const plugins = {
  kv: grpcPlugin({
    client: () => undefined,
    server({ server }) {
      addProtobufService(server, KV, protobuf, kv);
      addProtobufService(server, Tools, protobuf, tools);
      addProtobufService(server, Stream, protobuf, stream);
    },
  }).implement({}),
};
