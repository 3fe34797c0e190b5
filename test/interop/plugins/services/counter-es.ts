// The service of go-fixtures/proto's counter by protobuf-es, and the helper that either side serves through the broker.
import * as protobuf from "@bufbuild/protobuf";
import { grpcPlugin } from "../../../../src/definition/grpc-plugin.js";
import type { GRPCBroker } from "../../../../src/grpc/broker.js";
import { GrpcCallError } from "../../../../src/grpc/errors.js";
import { addProtobufService, type ProtobufHandlers } from "../../../../src/grpc/protobuf-handlers.js";
import { GrpcStatus } from "../../../../src/grpc/status.js";
import { AddHelper, Counter } from "../../gen/es/counter_pb.js";

/** Serves AddHelper under a name; `extra` tells the sides' sums apart. */
export function serveHelper(name: string, broker: GRPCBroker, extra: bigint) {
  return broker.serve((server) =>
    addProtobufService(server, AddHelper, protobuf, {
      sum: ({ a, b }) => ({ r: a + b + extra }),
      nest: ({ depth, id }) => nest(name, broker, extra, depth, id),
    }),
  );
}

async function nest(name: string, broker: GRPCBroker, extra: bigint, depth: number, id: number) {
  if (depth <= 0) return { names: [`${name} 0`] };
  await using own = await serveHelper(name, broker, extra);
  await using conn = await broker.dial(id);
  const { names } = await conn.protobuf(AddHelper, protobuf).nest({ depth: depth - 1, id: own.id });
  return { names: [`${name} ${depth}`, ...names] };
}

function counter(broker: GRPCBroker): ProtobufHandlers<typeof Counter> {
  const values = new Map<string, bigint>();
  return {
    async put({ addServer, key, value }) {
      await using conn = await broker.dial(addServer);
      const { r } = await conn.protobuf(AddHelper, protobuf).sum({ a: values.get(key) ?? 0n, b: value });
      values.set(key, r);
      return { value: r };
    },
    get: ({ key }) => ({ value: values.get(key) ?? 0n }),
    open: async () => ({ id: (await serveHelper("plugin", broker, 1000n)).id }),
    nest: ({ depth, id }) => nest("plugin", broker, 1000n, depth, id),
    async dialNobody({ id }) {
      try {
        await using conn = await broker.dial(id);
        await conn.protobuf(AddHelper, protobuf).sum({ a: 1n, b: 2n });
      } catch (error) {
        const { message } = error as Error;
        // Where Go leaves the knock to the first call, goplug's dial waits for it.
        if (message.includes("multiplexing knock")) return { code: GrpcStatus.UNAVAILABLE, text: message };
        return { code: error instanceof GrpcCallError ? error.code : -1, text: message };
      }
      return { code: 0, text: "somebody answered" };
    },
  };
}

export const plugins = {
  counter: grpcPlugin({
    client: () => undefined,
    server: ({ server, broker }) => addProtobufService(server, Counter, protobuf, counter(broker)),
  }).implement({}),
};
