import { ErrorCode, Http2Error } from "./errors.js";
import { describeGoAway, type GoAway } from "./goaway.js";

// What the end of a session is called.

/** This side has closed the connection. */
export function closed(): Http2Error {
  return new Http2Error("ERR_HTTP2_CLOSED", ErrorCode.NO_ERROR, "the connection is closed");
}

/** A stream was asked for that the connection cannot take any more. */
export function noFurtherStreams(): Http2Error {
  return refusal("the peer takes no further streams on this connection");
}

/** A GOAWAY says that a stream was not processed. @param ended the error that the GOAWAY told of, if any */
export function notProcessed(ended: Http2Error | undefined): Http2Error {
  return refusal(
    ended?.message ?? "the peer did not process the stream: it takes no further ones on this connection",
  );
}

/** The connection has ended before the stream's header fields went out. */
export function notSent(cause: Http2Error): Http2Error {
  return refusal(cause.message, cause);
}

/** The peer has ended the connection with an error. */
export function endedByPeer(goAway: GoAway): Http2Error {
  const message = `the peer ended the connection: ${describeGoAway(goAway)}`;
  return new Http2Error("ERR_HTTP2_GOAWAY", goAway.code, message);
}

/** The connection has ended by itself. @param goAway the latest that the peer has said */
export function lost(cause: Error | undefined, goAway: GoAway | undefined): Http2Error {
  const what = cause === undefined ? "the peer closed the connection" : `connection lost: ${cause.message}`;
  const before = goAway === undefined ? "" : `, after a GOAWAY: ${describeGoAway(goAway)}`;
  return new Http2Error("ERR_HTTP2_CONNECTION", ErrorCode.NO_ERROR, what + before, cause);
}

/** A peer that keepalive has asked does not answer. @param milliseconds since something came */
export function silent(milliseconds: number): Http2Error {
  const message = `the peer has given no sign of life for ${milliseconds} ms`;
  return new Http2Error("ERR_HTTP2_KEEPALIVE", ErrorCode.NO_ERROR, message);
}

/** A client has said nothing. @param milliseconds that it had */
export function neverBegun(milliseconds: number): Http2Error {
  const message = `the client has not begun to speak HTTP/2 within ${milliseconds} ms`;
  return new Http2Error("ERR_HTTP2_CONNECTION", ErrorCode.NO_ERROR, message);
}

function refusal(message: string, cause?: Http2Error): Http2Error {
  return new Http2Error("ERR_HTTP2_REFUSED", ErrorCode.REFUSED_STREAM, message, cause);
}
