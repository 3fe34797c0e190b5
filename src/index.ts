export { BrokerError } from "./broker/errors.js";
export { MuxBroker } from "./broker/mux-broker.js";
export { BasicError, basicError } from "./definition/basic-error.js";
export {
  type ClientParts,
  type Faces,
  type NetRpcDefinition,
  netRpcPlugin,
  type ServerParts,
} from "./definition/net-rpc-plugin.js";
export type { ClientFace, NetRpcPlugin, PluginSet, Service } from "./definition/plugin.js";
export { AbortedError, GoplugError, type GoplugErrorOptions } from "./errors.js";
export * as gob from "./gob/index.js";
export { type ConsoleLoggerOptions, consoleLogger } from "./hclog/console-logger.js";
export { type Logger, nullLogger } from "./hclog/logger.js";
export { Client } from "./host/client.js";
export type { ClientConfig, PluginCommand } from "./host/config.js";
export { ClientEndedError, PluginExitedError, StartError, UnknownPluginError } from "./host/errors.js";
export type { ProtocolClient, WaitOptions } from "./host/protocol-client.js";
export {
  BadReplyError,
  type CallContext,
  type Caller,
  type CallOptions,
  CallTimeoutError,
  ConnectionLostError,
  type MethodTable,
  NetRpcError,
  type Receiver,
  RemoteError,
  ShutdownError,
} from "./netrpc/index.js";
export { SpawnError } from "./process/errors.js";
export type { ExitStatus } from "./process/runner.js";
export type { HandshakeConfig, Protocol } from "./protocol/constants.js";
export { HandshakeError } from "./protocol/errors.js";
