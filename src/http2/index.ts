export { type Channel, type Connection, channelConnection, duplexConnection } from "./connection.js";
export { ErrorCode, errorName, Http2Error } from "./errors.js";
export type { HeaderList } from "./hpack-decoder.js";
export { type OnStream, Session, type SessionOptions, type SessionState } from "./session.js";
export type { Stream, StreamHandler, StreamState } from "./stream.js";
