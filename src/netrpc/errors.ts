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
  /** Where the peer has no such method: those of the definition whose names are near to it, if there are any. */
  declare readonly didYouMean?: readonly string[];

  constructor(text: string, serviceMethod: string, didYouMean: readonly string[] = []) {
    super("ERR_NETRPC_REMOTE", text);
    this.serviceMethod = serviceMethod;
    if (didYouMean.length > 0) this.didYouMean = didYouMean;
  }
}

/** A method that the definition does not have was called, under a name near to one that it has. Nothing was sent. */
export class UnknownMethodError extends NetRpcError {
  override readonly name = "UnknownMethodError";
  /** What was called, such as `Plugin.greet`. */
  readonly serviceMethod: string;
  /** What may have been meant, such as `Plugin.Greet`. */
  readonly didYouMean: readonly string[];

  constructor(serviceMethod: string, didYouMean: readonly string[]) {
    super(
      "ERR_NETRPC_UNKNOWN_METHOD",
      `the definition has no method ${serviceMethod}: did you mean ${didYouMean.join(" or ")}?`,
    );
    this.serviceMethod = serviceMethod;
    this.didYouMean = didYouMean;
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
