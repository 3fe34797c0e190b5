// The service of go-fixtures/proto's counter, and the helper that either side serves through the broker.
import type { handleUnaryCall, ServiceError, sendUnaryData } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { grpcPlugin } from "../../../../src/definition/grpc-plugin.js";
import type { GRPCBroker } from "../../../../src/grpc/broker.js";
import {
  AddHelperClient,
  type AddHelperServer,
  AddHelperService,
  type CounterServer,
  CounterService,
  type NestReply,
  type NestRequest,
  type SumReply,
  type SumRequest,
} from "../../gen/counter.js";

/** A call of a generated client as a promise. */
export function call<Q, A>(
  method: (request: Q, done: (error: ServiceError | null, answer: A) => void) => unknown,
  request: Q,
): Promise<A> {
  return new Promise((resolve, reject) => {
    method(request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

/** Answers with what the promise gives; a status error is passed on as it came. */
function answering<Q, A>(work: (request: Q) => Promise<A>): handleUnaryCall<Q, A> {
  return ({ request }, answer: sendUnaryData<A>) => {
    work(request).then(
      (reply) => answer(null, reply),
      (error: ServiceError) => {
        const code = typeof error.code === "number" ? error.code : status.UNKNOWN;
        answer({ code, details: error.details ?? error.message });
      },
    );
  };
}

/** AddHelper under a name; `extra` tells the sides' sums apart. */
export function addHelper(name: string, broker: GRPCBroker, extra: bigint): AddHelperServer {
  return {
    sum: answering(async ({ a, b }) => ({ r: a + b + extra })),
    nest: answering((request) => nest(name, broker, extra, request)),
  };
}

async function nest(
  name: string,
  broker: GRPCBroker,
  extra: bigint,
  { depth, id }: NestRequest,
): Promise<NestReply> {
  if (depth <= 0) return { names: [`${name} 0`] };
  await using own = await broker.serve((server) =>
    server.addService(AddHelperService, addHelper(name, broker, extra)),
  );
  await using conn = await broker.dial(id);
  const other = conn.client(AddHelperClient);
  const { names } = await call<NestRequest, NestReply>(other.nest.bind(other), {
    depth: depth - 1,
    id: own.id,
  });
  return { names: [`${name} ${depth}`, ...names] };
}

function counter(broker: GRPCBroker): CounterServer {
  const values = new Map<string, bigint>();
  return {
    put: answering(async ({ addServer, key, value }) => {
      await using conn = await broker.dial(addServer);
      const helper = conn.client(AddHelperClient);
      const { r } = await call<SumRequest, SumReply>(helper.sum.bind(helper), {
        a: values.get(key) ?? 0n,
        b: value,
      });
      values.set(key, r);
      return { value: r };
    }),
    get: answering(async ({ key }) => ({ value: values.get(key) ?? 0n })),
    open: answering(async () => {
      const { id } = await broker.serve((server) =>
        server.addService(AddHelperService, addHelper("plugin", broker, 1000n)),
      );
      return { id };
    }),
    nest: answering((request) => nest("plugin", broker, 1000n, request)),
    dialNobody: answering(async ({ id }) => {
      try {
        await using conn = await broker.dial(id);
        const helper = conn.client(AddHelperClient);
        await call<SumRequest, SumReply>(helper.sum.bind(helper), { a: 1n, b: 2n });
      } catch (error) {
        const { code, message } = error as ServiceError;
        // Where Go leaves the knock to the first call, goplug's dial waits for it.
        if (message.includes("multiplexing knock")) return { code: status.UNAVAILABLE, text: message };
        return { code: typeof code === "number" ? code : -1, text: message };
      }
      return { code: 0, text: "somebody answered" };
    }),
  };
}

export const plugins = {
  counter: grpcPlugin({
    client: () => undefined,
    server: ({ server, broker }) => server.addService(CounterService, counter(broker)),
  }).implement({}),
};
