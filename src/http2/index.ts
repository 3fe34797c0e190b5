export { type Connection, channelConnection, duplexConnection } from "./connection.js";
export { ErrorCode, Http2Error } from "./errors.js";
export type { HeaderList } from "./hpack-decoder.js";
export { listSize } from "./hpack-encoder.js";
export { type OnStream, Session, type SessionOptions } from "./session.js";
export type { Stream, StreamHandler } from "./stream.js";
