// What the gRPC cases share: definitions for the fixtures' services, and generated clients with promises.

import * as protobuf from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";
import { type ClientConfig, grpcPlugin } from "../../src/index.js";
import { pluginCommand } from "./build-plugins.js";
import type { CaseContext } from "./case.js";
import { CounterClient } from "./gen/counter.js";
import { KV } from "./gen/es/kv_pb.js";
import { Tools } from "./gen/es/tools_pb.js";
import { KVClient } from "./gen/kv.js";
import { StreamClient } from "./gen/stream.js";

/** The store by two generators, the tools by protobuf-es, the streams by ts-proto, all on one connection. */
export const kv = grpcPlugin({
  client: ({ conn, broker, signal }) => ({
    conn,
    broker,
    signal,
    kv: conn.client(KVClient),
    es: conn.protobuf(KV, protobuf),
    tools: conn.protobuf(Tools, protobuf),
    stream: conn.client(StreamClient),
  }),
  server: () => {},
});

export const counter = grpcPlugin({
  client: ({ conn, broker }) => ({ conn, broker, counter: conn.client(CounterClient) }),
  server: () => {},
});

/** A call of a generated client as a promise. */
export function call<Q, A>(
  client: object,
  method: (request: Q, done: (error: ServiceError | null, answer: A) => void) => unknown,
  request: Q,
): Promise<A> {
  return new Promise((resolve, reject) => {
    method.call(client, request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

export interface Variant {
  readonly name: string;
  readonly config: Pick<ClientConfig, "autoMTLS" | "grpcBrokerMultiplex" | "grpcTransport">;
}

/** The four ways of a gRPC connection, and the first and last of them over grpc-js's own transport. */
export const variants: readonly Variant[] = [
  { name: "", config: {} },
  { name: " over AutoMTLS", config: { autoMTLS: true } },
  { name: " multiplexed", config: { grpcBrokerMultiplex: true } },
  { name: " multiplexed over AutoMTLS", config: { autoMTLS: true, grpcBrokerMultiplex: true } },
  { name: " by grpc-js's transport", config: { grpcTransport: "grpc-js" } },
  {
    name: " multiplexed over AutoMTLS by grpc-js's transport",
    config: { autoMTLS: true, grpcBrokerMultiplex: true, grpcTransport: "grpc-js" },
  },
];

/** A fixture plugin in Go or in TypeScript. */
export interface Side {
  readonly pair: string;
  readonly needs: (plugin: string) => string[];
  readonly command: (plugin: string, context: CaseContext) => Promise<readonly [string, ...string[]]>;
}

export const sides: readonly Side[] = [
  { pair: "ts->go", needs: (plugin) => [plugin], command: async (plugin, { bin }) => [bin(plugin)] },
  { pair: "ts->ts", needs: () => [], command: (plugin) => pluginCommand(plugin) },
];
