import type { Client, MethodDefinition } from "@grpc/grpc-js";
import { longestTimer, timeLimit } from "../options.js";
import { type WaitOptions, waitFor } from "../wait.js";
import { GrpcError } from "./errors.js";

/** grpc-js's call options for a time limit, which the server is told. @throws OptionError */
export function deadlineOf(timeout: number | undefined): { readonly deadline?: number } {
  const limit = timeLimit("timeout", timeout, Infinity);
  return limit > longestTimer ? {} : { deadline: Date.now() + limit };
}

/**
 * One of goplug's own unary calls. One that takes too long has gRPC's DEADLINE_EXCEEDED.
 * @throws GrpcError, AbortedError, OptionError
 */
export function unary<Q, A>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Q, A>,
  argument: Q,
  { signal, timeout }: WaitOptions = {},
): Promise<A> {
  return waitFor({ what: `the call of ${path}`, signal }, (resolve, reject) => {
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      argument,
      deadlineOf(timeout),
      (error, answer) => {
        if (error === null) resolve(answer!);
        else reject(new GrpcError(error.code, error.details, { what: path, cause: error }));
      },
    );
    return (cut) => {
      if (cut !== undefined) call.cancel();
    };
  });
}
