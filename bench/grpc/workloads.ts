// What is measured over gRPC: the same by a Go host (go-fixtures/hosts/bench-host-kv) and by clients in TypeScript.
import { once } from "node:events";
import type { ServiceError } from "@grpc/grpc-js";
import type { KVClient } from "../../test/interop/gen/kv.js";
import type { Chunk, SinkReply, StreamClient } from "../../test/interop/gen/stream.js";
import { call } from "../../test/interop/grpc-support.js";
import { pattern } from "../../test/interop/support.js";

/** Messages of a streaming call. */
const messages = 5000;

export interface Clients {
  readonly kv: KVClient;
  readonly stream: StreamClient;
}

export interface Workload {
  /** Also bench-host-kv's mode. */
  readonly name: string;
  readonly unit: "calls/s" | "MiB/s" | "messages/s";
  /** Bytes of a value or message. */
  readonly size: number;
  readonly inFlight: number;
  /** Makes one call, and tells for how many units it counts. */
  readonly one: (clients: Clients) => Promise<number>;
  /** The least ratios that are wanted. */
  readonly floors: { readonly go: number; readonly grpcJs: number };
}

async function get({ kv }: Clients): Promise<number> {
  await call(kv, kv.get as never, { key: "bench" });
  return 1;
}

const mebibyte = pattern(1 << 20);
const kibibyte = pattern(1024);

async function put({ kv }: Clients): Promise<number> {
  await call(kv, kv.put as never, { key: "bench", value: mebibyte });
  return 1;
}

async function down({ stream }: Clients): Promise<number> {
  const source = stream.source({
    bytes: BigInt(messages * 1024),
    chunk: 1024,
    code: 0,
    text: "",
    stay: false,
  });
  let bytes = 0;
  source.on("data", ({ data }: Chunk) => {
    bytes += data.length;
  });
  await once(source, "end");
  if (bytes !== messages * 1024) throw new Error(`${bytes} bytes`);
  return messages;
}

function up({ stream }: Clients): Promise<number> {
  return new Promise((resolve, reject) => {
    const sink = stream.count((error: ServiceError | null, reply: SinkReply) => {
      if (error !== null) reject(error);
      else if (reply.bytes !== BigInt(messages * 1024)) reject(new Error(`${reply.bytes} bytes`));
      else resolve(messages);
    });
    let left = messages;
    const write = (): void => {
      while (left > 0) {
        left--;
        if (!sink.write({ data: kibibyte })) {
          sink.once("drain", write);
          return;
        }
      }
      sink.end();
    };
    write();
  });
}

const single = { unit: "calls/s", size: 64, one: get } as const;
const large = { unit: "MiB/s", size: 1 << 20, inFlight: 1, floors: { go: 0.8, grpcJs: 1.5 } } as const;
const streamed = { unit: "messages/s", size: 1024, inFlight: 1, floors: { go: 0.8, grpcJs: 3 } } as const;

export const workloads: readonly Workload[] = [
  { name: "sequential", ...single, inFlight: 1, floors: { go: 0.9, grpcJs: 3 } },
  { name: "inflight64", ...single, inFlight: 64, floors: { go: 0.9, grpcJs: 4 } },
  { name: "get1MiB", ...large, one: get },
  { name: "put1MiB", ...large, one: put },
  { name: "stream.down", ...streamed, one: down },
  { name: "stream.up", ...streamed, one: up },
];
