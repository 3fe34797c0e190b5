// What the gRPC cases share: definitions for the fixtures' services, and generated clients with promises.

import * as protobuf from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";
import { type ClientConfig, grpcPlugin } from "../../src/index.js";
import { byGrpcJs } from "./both-transports.js";
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

/** Over goplug's own transport, and over that of grpc-js. */
export const transports: readonly Variant[] = [
  { name: "", config: {} },
  { name: byGrpcJs, config: { grpcTransport: "grpc-js" } },
];

/** The four ways of a gRPC connection, over both transports. */
export const variants: readonly Variant[] = transports.flatMap((transport) =>
  [
    { name: "", config: {} },
    { name: " over AutoMTLS", config: { autoMTLS: true } },
    { name: " multiplexed", config: { grpcBrokerMultiplex: true } },
    { name: " multiplexed over AutoMTLS", config: { autoMTLS: true, grpcBrokerMultiplex: true } },
  ].map(({ name, config }) => ({
    name: `${name}${transport.name}`,
    config: { ...config, ...transport.config },
  })),
);

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
