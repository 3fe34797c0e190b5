import { GoplugError } from "../errors.js";

/** The codes of {@link BrokerError}. */
export type BrokerErrorCode =
  /** Nobody dialled, or answered the dial, within the time. */
  | "ERR_BROKER_TIMEOUT"
  /** The accepter answered the dial with another id. */
  | "ERR_BROKER_BAD_ACK"
  /** The id is being accepted already. */
  | "ERR_BROKER_ID_IN_USE"
  /** The other side refused the knock for a multiplexed gRPC connection, or answered something else. */
  | "ERR_BROKER_KNOCK"
  /** The other side announced an address of a network that nobody knows. */
  | "ERR_BROKER_ADDRESS"
  /** The stream or the session ended before the connection stood. */
  | "ERR_BROKER_CLOSED";

/** A brokered connection that did not come about. */
export class BrokerError extends GoplugError {
  override readonly name = "BrokerError";
  declare readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}
