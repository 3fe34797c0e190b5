import { GoplugError, type GoplugErrorOptions } from "../errors.js";

/** The codes of {@link SocketError}. */
export type SocketErrorCode =
  /** The socket's path would not fit the address structure of the system. */
  | "ERR_SOCKET_PATH"
  /** The group that should get access does not exist, or may not be given it. */
  | "ERR_SOCKET_GROUP"
  /** The socket, or the folder for it, could not be made; `cause` says why. */
  | "ERR_SOCKET_LISTEN";

/** A socket to listen on could not be made. */
export class SocketError extends GoplugError {
  override readonly name = "SocketError";
  declare readonly code: SocketErrorCode;

  constructor(code: SocketErrorCode, message: string, options?: GoplugErrorOptions) {
    super(code, message, options);
  }
}
