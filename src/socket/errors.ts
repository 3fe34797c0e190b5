import { GoplugError, type GoplugErrorOptions } from "../errors.js";

/** The codes of {@link SocketError}. */
export type SocketErrorCode =
  /** A socket's path does not fit the address structure of the system. */
  | "ERR_SOCKET_PATH"
  /** The group that should get access does not exist, or may not be given it. */
  | "ERR_SOCKET_GROUP"
  /** The port range is not one, or has no free port. */
  | "ERR_SOCKET_PORT"
  /** The socket, or the folder for it, could not be made; `cause` says why. */
  | "ERR_SOCKET_LISTEN";

/** A socket could not be made, or can never be connected to. */
export class SocketError extends GoplugError {
  override readonly name = "SocketError";
  declare readonly code: SocketErrorCode;

  constructor(code: SocketErrorCode, message: string, options?: GoplugErrorOptions) {
    super(code, message, options);
  }
}
