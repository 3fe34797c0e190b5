import { GoplugError, type GoplugErrorOptions } from "../errors.js";

/** The codes of {@link ServeError}. */
export type ServeErrorCode =
  /** `serve` was called in a process that serves already: a process has one stdout to shake hands on. */
  | "ERR_SERVE_TWICE"
  /** The configuration cannot be served: no plugins, or an option out of range. */
  | "ERR_SERVE_CONFIG"
  /** A plugin type could not be set up: it is not one for this protocol, or its own function threw (`cause`). */
  | "ERR_SERVE_PLUGIN"
  /** No host started this process, or the configuration has no cookie; the message is what a person should read. */
  | "ERR_SERVE_COOKIE"
  /** The handshake line could not be written: the host does not read, or is gone. */
  | "ERR_SERVE_HANDSHAKE"
  /** Output was dropped because no host came for it. */
  | "ERR_SERVE_OUTPUT_OVERFLOW";

/** A plugin could not start, or could not go on, serving. */
export class ServeError extends GoplugError {
  override readonly name = "ServeError";
  declare readonly code: ServeErrorCode;

  constructor(code: ServeErrorCode, message: string, options?: GoplugErrorOptions) {
    super(code, message, options);
  }
}
