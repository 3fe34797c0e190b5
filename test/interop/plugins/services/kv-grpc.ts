// The services of go-fixtures/proto's kv, tools and stream, as go-fixtures/shared/kvgrpc serves them.
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Metadata, type sendUnaryData, status } from "@grpc/grpc-js";
import { grpcPlugin } from "../../../../src/definition/grpc-plugin.js";
import { LEVELS } from "../../../../src/hclog/logger.js";
import { pluginLogger } from "../../../../src/plugin/logger.js";
import { type KVServer, KVService } from "../../gen/kv.js";
import { type Chunk, type StreamServer, StreamService } from "../../gen/stream.js";
import { type ToolsServer, ToolsService } from "../../gen/tools.js";
import { lastWords, pattern, write } from "../serve-fixture.js";

const logger = pluginLogger({ name: "kv" });
const values = new Map<string, Buffer>();

const kv: KVServer = {
  get({ request: { key } }, answer) {
    const value = values.get(key);
    if (value === undefined) answer({ code: status.NOT_FOUND, details: `key not found: ${key}` });
    else answer(null, { value });
  },
  put({ request: { key, value } }, answer) {
    values.set(key, value);
    answer(null, {});
  },
};

let cancelled = 0;

/** Answers with the number that the promise gives. */
function number(answer: sendUnaryData<{ n: bigint }>, promise: Promise<number> | number): void {
  Promise.resolve(promise).then(
    (n) => answer(null, { n: BigInt(n) }),
    (error: Error) => answer({ code: status.INTERNAL, details: error.message }),
  );
}

const tools: ToolsServer = {
  echo: ({ request: { data } }, answer) => answer(null, { data }),
  sleep: ({ request: { n } }, answer) => number(answer, sleep(Number(n), Number(n))),
  pid: (_, answer) => number(answer, process.pid),
  env: ({ request: { text } }, answer) => answer(null, { text: process.env[text] ?? "" }),
  fail(call, answer) {
    const { code, text } = call.request;
    const header = new Metadata();
    header.set("goplug-header", "yes");
    call.sendMetadata(header);
    const trailer = new Metadata();
    trailer.set("goplug-trailer", String(code));
    if (code === 0) answer(null, {}, trailer);
    else answer({ code, details: text, metadata: trailer });
  },
  metadata({ metadata }, answer) {
    const pairs = Object.keys(metadata.getMap())
      .filter((key) => key.startsWith("goplug-"))
      .map((key) => [key, Buffer.from(metadata.get(key).at(-1)!)] as const);
    answer(null, { pairs: Object.fromEntries(pairs) });
  },
  writeStdout: ({ request: { n } }, answer) => number(answer, write(process.stdout, pattern(Number(n)))),
  writeStderr: ({ request: { n } }, answer) => number(answer, write(process.stderr, pattern(Number(n)))),
  writeLines({ request: { n } }, answer) {
    for (let i = 0; i < n; i++) {
      console.log(`out ${i}`);
      console.error(`err ${i}`);
    }
    answer(null, { n });
  },
  print: ({ request: { data } }, answer) => number(answer, write(process.stdout, data)),
  printErr: ({ request: { data } }, answer) => number(answer, write(process.stderr, data)),
  logAll({ request: { text } }, answer) {
    for (const [n, level] of LEVELS.entries()) logger[level](text, { method: "LogAll", n });
    number(answer, LEVELS.length);
  },
  rawStderr: ({ request: { text } }, answer) => number(answer, writeSync(2, text)),
  hang: (call) => void call.on("cancelled", () => cancelled++),
  cancelled: (_, answer) => number(answer, cancelled),
  exit({ request: { n } }) {
    lastWords();
    process.exit(Number(n));
  },
  crash({ request: { text } }) {
    lastWords();
    setImmediate(() => {
      throw new Error(text);
    });
  },
  killSelf: () => void process.kill(process.pid, "SIGKILL"),
  block({ request: { n } }, answer) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(n));
    answer(null, { n });
  },
  freeze(_, answer) {
    process.kill(process.pid, "SIGSTOP");
    answer(null, {});
  },
};

const stream: StreamServer = {
  async source(call) {
    const { bytes, chunk, code, text, stay } = call.request;
    const size = chunk || 65_536;
    // The pattern repeats after 256 bytes.
    const repeated = pattern(size + 256);
    const total = Number(bytes);
    for (let start = 0; start < total; start += size) {
      if (call.cancelled) return;
      const length = Math.min(size, total - start);
      const room = call.write({ data: repeated.subarray(start & 0xff, (start & 0xff) + length) });
      if (!room) await new Promise((resolve) => call.once("drain", resolve).once("cancelled", resolve));
    }
    if (stay) return;
    if (code === 0) call.end();
    else call.emit("error", { code, details: text });
  },
  sink(call, answer) {
    const hash = createHash("sha256");
    let bytes = 0n;
    call.on("data", ({ data }: Chunk) => {
      hash.update(data);
      bytes += BigInt(data.length);
    });
    call.on("end", () => answer(null, { bytes, sha256: hash.digest("hex") }));
  },
  count(call, answer) {
    let bytes = 0;
    call.on("data", ({ data }: Chunk) => {
      bytes += data.length;
    });
    call.on("end", () => answer(null, { bytes: BigInt(bytes), sha256: "" }));
  },
  mirror(call) {
    call.on("data", (chunk: Chunk) => {
      if (!call.write(chunk)) call.pause();
    });
    call.on("drain", () => call.resume());
    call.on("end", () => call.end());
  },
};

export const plugins = {
  kv: grpcPlugin({
    client: () => undefined,
    server({ server }) {
      server.addService(KVService, kv);
      server.addService(ToolsService, tools);
      server.addService(StreamService, stream);
    },
  }).implement({}),
};
