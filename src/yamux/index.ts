/**
 * The multiplexer of hashicorp/yamux, both roles, over any Duplex.
 *
 * @module goplug/yamux
 */

export type { WaitOptions } from "../wait.js";
export type { Channel, ChannelHandler, StreamState } from "./channel.js";
export type { ResolvedConfig, SessionConfig } from "./config.js";
export { defaultConfig } from "./config.js";
export type { DialOptions } from "./dial.js";
export { dial } from "./dial.js";
export type { YamuxErrorCode } from "./errors.js";
export { YamuxError } from "./errors.js";
export type { InPlaceReader, Role, SessionOptions, SessionState } from "./session.js";
export { Session } from "./session.js";
export { Stream } from "./stream.js";
