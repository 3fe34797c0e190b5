import type { AnySchema, Registry } from "../gob/index.js";
import type { CallContext } from "./methods.js";

/** A method as the server runs it. */
export interface Method {
  readonly arg: AnySchema;
  readonly reply: AnySchema;
  handle(arg: unknown, context: CallContext): unknown;
}

/** Where the server reports what the caller cannot see: broken connections and replies that do not fit. */
export interface ServerLogger {
  warn(message: string, fields?: Record<string, unknown>): void;
}

export interface RpcServerOptions {
  registry?: Registry | undefined;
  logger?: ServerLogger | undefined;
  /**
   * Calls of one connection that may be running or waiting to be answered before the server stops reading from it.
   * Default: 4096. (Go has no bound.)
   */
  maxOutstandingCalls?: number | undefined;
}
