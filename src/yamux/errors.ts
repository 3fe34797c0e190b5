import { GoplugError } from "../errors.js";

// The texts of Go's errors (hashicorp/yamux const.go and session.go), so that logs of both sides read alike.
const texts = {
  ERR_YAMUX_INVALID_CONFIG: "invalid yamux configuration",
  ERR_YAMUX_INVALID_VERSION: "invalid protocol version",
  ERR_YAMUX_INVALID_MSG_TYPE: "invalid msg type",
  ERR_YAMUX_SESSION_SHUTDOWN: "session shutdown",
  ERR_YAMUX_STREAMS_EXHAUSTED: "streams exhausted",
  ERR_YAMUX_DUPLICATE_STREAM: "duplicate stream initiated",
  ERR_YAMUX_RECV_WINDOW_EXCEEDED: "recv window exceeded",
  ERR_YAMUX_SEND_WINDOW_OVERFLOW: "send window overflow",
  ERR_YAMUX_TIMEOUT: "i/o deadline reached",
  ERR_YAMUX_STREAM_CLOSED: "stream closed",
  ERR_YAMUX_STREAM_CLOSE_TIMEOUT: "stream close timeout",
  ERR_YAMUX_UNEXPECTED_FLAG: "unexpected flag",
  ERR_YAMUX_REMOTE_GO_AWAY: "remote end is not accepting connections",
  ERR_YAMUX_GO_AWAY: "unexpected go away received",
  ERR_YAMUX_CONNECTION_RESET: "connection reset",
  ERR_YAMUX_CONNECTION_WRITE_TIMEOUT: "connection write timeout",
  ERR_YAMUX_KEEPALIVE_TIMEOUT: "keepalive timeout",
  ERR_YAMUX_SEND_QUEUE_FULL: "the peer asks for answers but does not read them",
  ERR_YAMUX_CONNECTION_FAILED: "connection failed",
  ERR_YAMUX_EOF: "EOF",
  ERR_YAMUX_UNEXPECTED_EOF: "unexpected EOF",
  ERR_YAMUX_HANDLER_FAILED: "channel handler threw",
} as const;

/** The codes that yamux errors carry. */
export type YamuxErrorCode = keyof typeof texts;

/** An error of a yamux session or stream: `code` tells which, `cause` what led to it. */
export class YamuxError extends GoplugError {
  override readonly name = "YamuxError";
  declare readonly code: YamuxErrorCode;

  constructor(code: YamuxErrorCode, options?: { cause?: unknown; message?: string }) {
    super(code, options?.message ?? texts[code], { cause: options?.cause });
  }
}
