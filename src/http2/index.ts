export { type Connection, channelConnection, duplexConnection } from "./connection.js";
export { ErrorCode, Http2Error } from "./errors.js";
export type { HeaderList } from "./hpack-decoder.js";
export { listSize } from "./hpack-encoder.js";
export type { OnStream } from "./intake.js";
export { Session } from "./session.js";
export type { SessionOptions } from "./session-options.js";
export type { Stream } from "./stream.js";
export type { StreamHandler } from "./stream-handler.js";
