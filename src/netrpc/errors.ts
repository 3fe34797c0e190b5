import { GoplugError } from "../errors.js";

/** The base of net/rpc's own errors. */
export class NetRpcError extends GoplugError {
  override readonly name: string = "NetRpcError";
}

/**
 * The error that the other side answered a call with (net/rpc's ServerError). Its message is the peer's text, to the
 * letter: programs such as Mattermost compare it.
 */
export class RemoteError extends NetRpcError {
  override readonly name = "RemoteError";
  /** The method that was called, such as `Plugin.Get`. */
  readonly serviceMethod: string;

  constructor(text: string, serviceMethod: string) {
    super("ERR_NETRPC_REMOTE", text);
    this.serviceMethod = serviceMethod;
  }
}

/**
 * A call on a client that was closed, or that ended before (Go's rpc.ErrShutdown). Where somebody could tell what became
 * of the connection, the message goes on with that.
 */
export class ShutdownError extends NetRpcError {
  override readonly name = "ShutdownError";

  constructor(cause?: unknown, reason?: string) {
    const text = "connection is shut down";
    super("ERR_NETRPC_SHUTDOWN", reason === undefined ? text : `${text}: ${reason}`, { cause });
  }
}

/** The connection ended while the call waited for its answer (Go's io.ErrUnexpectedEOF). */
export class ConnectionLostError extends NetRpcError {
  override readonly name = "ConnectionLostError";

  constructor(cause?: unknown, message = "the connection ended before the answer came: unexpected EOF") {
    super("ERR_NETRPC_CONNECTION_LOST", message, { cause });
  }
}

/**
 * An answer could not be decoded; `cause` is the gob error. Where it is the reply of a call, that call alone fails, with
 * Go's "reading body ..." before the text. Where the peer's bytes make no sense, the client ends, and all its calls.
 */
export class BadReplyError extends NetRpcError {
  override readonly name = "BadReplyError";

  constructor(prefix: "" | "reading body ", cause: unknown, serviceMethod?: string) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const whose = serviceMethod === undefined ? "" : ` (in the answer of ${serviceMethod})`;
    super("ERR_NETRPC_BAD_REPLY", prefix + text + whose, { cause });
  }
}

/** The reason of a handler's signal: the caller does not wait for the answer any more. */
export class CallCancelledError extends NetRpcError {
  override readonly name = "CallCancelledError";

  constructor(serviceMethod: string) {
    super("ERR_NETRPC_CANCELLED", `${serviceMethod} was given up by its caller`);
  }
}

/** A call's own time limit passed; the connection lives and the late answer is discarded. */
export class CallTimeoutError extends NetRpcError {
  override readonly name = "CallTimeoutError";

  constructor(serviceMethod: string, timeout: number) {
    super("ERR_NETRPC_TIMEOUT", `${serviceMethod} was not answered within ${timeout} ms`);
  }
}
