import type { Client, MethodDefinition, ServiceError } from "@grpc/grpc-js";
import { AbortedError } from "../errors.js";
import { GrpcError } from "./errors.js";

export interface CallWait {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; default: no limit. */
  readonly timeout?: number | undefined;
}

/**
 * One of goplug's own unary calls.
 * @throws GrpcError, AbortedError
 */
export function unary<Q, A>(
  client: Client,
  method: MethodDefinition<Q, A>,
  argument: Q,
  { signal, timeout }: CallWait = {},
): Promise<A> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new AbortedError(`the call of ${method.path}`, signal.reason));
      return;
    }
    const onAbort = (): void => {
      reject(new AbortedError(`the call of ${method.path}`, signal?.reason));
      call.cancel();
    };
    const done = (error: ServiceError | null, answer?: A): void => {
      signal?.removeEventListener("abort", onAbort);
      if (error !== null)
        reject(new GrpcError(error.code, error.details, { what: method.path, cause: error }));
      else resolve(answer!);
    };
    const options = timeout === undefined ? {} : { deadline: Date.now() + timeout };
    const { path, requestSerialize, responseDeserialize } = method;
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      argument,
      options,
      done,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
