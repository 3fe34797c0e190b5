/** Options that every goplug error takes beside its message. */
export interface GoplugErrorOptions {
  /** What led to this error, if another error did. */
  cause?: unknown;
}

/**
 * The base of every error that goplug throws. `code` is stable and meant for programs, `message` for people;
 * texts that Go peers compare are kept to the letter.
 */
export class GoplugError extends Error {
  override readonly name: string = "GoplugError";
  /** A stable, upper-case code such as `ERR_YAMUX_SESSION_SHUTDOWN`. */
  readonly code: string;

  constructor(code: string, message: string, options?: GoplugErrorOptions) {
    super(
      message,
      options !== undefined && options.cause !== undefined ? { cause: options.cause } : undefined,
    );
    this.code = code;
  }
}

/** The error of a wait that its caller's signal ended; `cause` is the signal's reason. */
export class AbortedError extends GoplugError {
  override readonly name = "AbortedError";

  constructor(what: string, reason: unknown) {
    super("ERR_ABORTED", `${what} was aborted`, { cause: reason });
  }
}
