import type { AnySchema } from "../gob/index.js";
import { wholeNumber } from "../options.js";
import type { CodecOptions } from "./codec-options.js";
import type { CallContext } from "./methods.js";

/** A method as the server runs it. */
export interface Method {
  /** The schema of its argument. */
  readonly arg: AnySchema;
  /** The schema of its reply. */
  readonly reply: AnySchema;
  /** Answers a call: the reply, or a promise of it; what it throws is answered as text. */
  handle(arg: unknown, context: CallContext): unknown;
}

/** Where the server reports what the caller cannot see: broken connections and replies that do not fit. */
export interface ServerLogger {
  /** A call or a connection was lost; the fields say which. */
  warn(message: string, fields?: Record<string, unknown>): void;
}

/** What a server takes of one connection. */
export interface ServerLimits {
  /**
   * Bytes of one connection that may wait to be answered, or to be read by the peer, before the server stops reading
   * from it, which is logged: requests that are running count with their size and 256 bytes each, answers from when the
   * connection takes no more. Infinity: no bound, as in Go. Default: 67,108,864 (64 MiB).
   */
  readonly maxUnansweredBytes?: number | undefined;
}

/** How a server reads strings and interface values, what it takes of a connection, and where it logs. */
export interface RpcServerOptions extends CodecOptions, ServerLimits {
  /** Default: nothing is logged. */
  logger?: ServerLogger | undefined;
}

/** 64 MiB. */
const DEFAULT_UNANSWERED = 2 ** 26;

/** @throws OptionError */
export function unansweredLimit({ maxUnansweredBytes = DEFAULT_UNANSWERED }: ServerLimits): number {
  if (maxUnansweredBytes === Infinity) return Infinity;
  return wholeNumber("maxUnansweredBytes", maxUnansweredBytes, 1, Number.MAX_SAFE_INTEGER);
}
