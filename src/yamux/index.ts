/**
 * The multiplexer of hashicorp/yamux, both roles, over any Duplex.
 *
 * @module goplug/yamux
 */

export type { InPlaceReader } from "../in-place.js";
export type { WaitOptions } from "../wait.js";
export type { Channel, ChannelHandler, StreamState } from "./channel.js";
export type { ResolvedConfig, SessionConfig } from "./config.js";
export { defaultConfig } from "./config.js";
export type { DialOptions } from "./dial.js";
export { dial } from "./dial.js";
export type { YamuxErrorCode } from "./errors.js";
export { YamuxError } from "./errors.js";
export type { Role, SessionOptions, SessionState } from "./session.js";
export { Session } from "./session.js";
export { Stream } from "./stream.js";
