import type { WaitOptions } from "../wait.js";
import type { Calls } from "./calls.js";
import { GrpcCallError, GrpcError } from "./errors.js";
import { callForOne } from "./invoke.js";
import type { Method } from "./method.js";

/**
 * One of goplug's own unary calls. One that takes too long has gRPC's DEADLINE_EXCEEDED.
 * @throws GrpcError, AbortedError, OptionError
 */
export async function unary<Q, A>(
  calls: Calls,
  method: Method<Q, A>,
  argument: Q,
  wait: WaitOptions = {},
): Promise<A> {
  try {
    return await callForOne(calls, method, { one: argument }, wait, unary);
  } catch (error) {
    if (!(error instanceof GrpcCallError)) throw error;
    throw new GrpcError(error.code, error.details, { what: method.path, cause: error });
  }
}
