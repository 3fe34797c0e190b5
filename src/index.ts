/**
 * Hosts of go-plugin plugins, and such plugins.
 *
 * @module goplug
 */

export { BrokerError, type BrokerErrorCode } from "./broker/errors.js";
export {
  type BrokerService,
  MuxBroker,
  type MuxBrokerOptions,
  type ServedService,
} from "./broker/mux-broker.js";
export { BasicError, basicError } from "./definition/basic-error.js";
export {
  type GrpcClientParts,
  type GrpcDefinition,
  type GrpcFaces,
  type GrpcPlugin,
  type GrpcServerParts,
  grpcPlugin,
} from "./definition/grpc-plugin.js";
export {
  type BrokeredCaller,
  type ClientParts,
  type Faces,
  type NetRpcDefinition,
  netRpcPlugin,
  type OptionalFace,
  type ServerParts,
} from "./definition/net-rpc-plugin.js";
export type { ClientFace, NetRpcPlugin, PluginSet, Service } from "./definition/plugin.js";
export { protobufPlugin } from "./definition/protobuf-plugin.js";
export type { CallCounters, CallObserver } from "./diagnostics.js";
export type {
  BrokerMessage,
  CallTrace,
  ConnectTrace,
  DispenseTrace,
  ExitMessage,
  HandshakeTrace,
  StartTrace,
  StreamMessage,
  Traced,
} from "./diagnostics-contexts.js";
export { AbortedError, GoplugError, type GoplugErrorOptions, OptionError, TimeoutError } from "./errors.js";
export * as gob from "./gob/index.js";
export type {
  BrokerDialOptions,
  BrokeredServer,
  BrokerListener,
  GRPCBroker,
} from "./grpc/broker.js";
export type { ClientClass, GrpcConnection, GrpcTransport } from "./grpc/connection.js";
export {
  GrpcCallError,
  type GrpcCallFailure,
  GrpcConnectError,
  GrpcError,
  type GrpcErrorOptions,
  GrpcMissingError,
} from "./grpc/errors.js";
export type { GrpcServer, RegisterServices } from "./grpc/grpc-server.js";
export type { HandlerContext, ServerCall } from "./grpc/handler-context.js";
export {
  Metadata,
  type MetadataInit,
  type MetadataLike,
  type MetadataOptions,
  type MetadataValue,
} from "./grpc/metadata.js";
export type { GrpcServeOptions } from "./grpc/plugin-end.js";
export { type PromiseHandler, type PromiseHandlers, promiseHandlers } from "./grpc/promise-handlers.js";
export type { ProtobufCallOptions, ProtobufClient } from "./grpc/protobuf-client.js";
export { addProtobufService, type ProtobufHandlers } from "./grpc/protobuf-handlers.js";
export { type ProtobufRuntime, protobufService, type ServiceDescriptor } from "./grpc/protobuf-service.js";
export { GrpcStatus } from "./grpc/status.js";
export type { Messages } from "./grpc/write-messages.js";
export { type ConsoleLoggerOptions, consoleLogger } from "./hclog/console-logger.js";
export { type JsonLoggerOptions, jsonLogger } from "./hclog/json-logger.js";
export { type Fields, type Level, type Logger, type LogMethod, nullLogger } from "./hclog/logger.js";
export { Client } from "./host/client.js";
export type {
  ClientConfig,
  ExitLogLevel,
  PluginCommand,
  ReattachConfig,
  RunnerContext,
  RunnerFunc,
  UnixSocketConfig,
} from "./host/config.js";
export { discover } from "./host/discover.js";
export {
  ClientEndedError,
  PluginExitedError,
  StartError,
  type StartErrorCode,
  UnknownPluginError,
  WrongProtocolError,
} from "./host/errors.js";
export { BadPatternError } from "./host/glob-pattern.js";
export { cleanupClients, clientsKilled } from "./host/managed.js";
export { type NetRpcClientOptions, NetRpcProtocolClient } from "./host/net-rpc-client.js";
export type { ProtocolClient } from "./host/protocol-client.js";
export {
  BadReplyError,
  CallCancelledError,
  type CallContext,
  type Caller,
  type CallOptions,
  CallTimeoutError,
  type CodecOptions,
  ConnectionLostError,
  implemented,
  type MethodTable,
  NetRpcError,
  type OptionalMethods,
  type PartialReceiver,
  type Receiver,
  type RegisterOptions,
  RemoteError,
  type ServerLimits,
  ShutdownError,
  UnknownMethodError,
} from "./netrpc/index.js";
export { ServeError, type ServeErrorCode } from "./plugin/errors.js";
export { pluginLogger } from "./plugin/logger.js";
export { serve } from "./plugin/serve.js";
export type { ServeConfig, ServeTestConfig, TestReattachConfig } from "./plugin/serve-config.js";
export { type ServeConnectionOptions, serveConnection } from "./plugin/serve-connection.js";
export { type ServeMuxMap, serveMux } from "./plugin/serve-mux.js";
export { ChecksumError, type ChecksumErrorCode, checkFile, type SecureConfig } from "./process/checksum.js";
export { type Command, CommandRunner, type CommandRunnerOptions } from "./process/command-runner.js";
export { SpawnError, type SpawnErrorCode } from "./process/errors.js";
export { ProcessNotFoundError } from "./process/pid-runner.js";
export type { AttachedRunner, ExitStatus, Runner, RunnerAddress } from "./process/runner.js";
export {
  CORE_PROTOCOL_VERSION,
  type HandshakeConfig,
  type Network,
  type Protocol,
} from "./protocol/constants.js";
export { HandshakeError, type HandshakeErrorCode } from "./protocol/errors.js";
export type { SocketAddress } from "./socket/address.js";
export { SocketError, type SocketErrorCode } from "./socket/errors.js";
export {
  type ByteSource,
  collectBytes,
  joinStreams,
  type ReadLimits,
  remoteReader,
  StreamError,
  type StreamErrorCode,
  sendBytes,
  serveReader,
} from "./streams/index.js";
export { TlsError, type TlsErrorCode } from "./tls/errors.js";
export type { HostTlsConfig } from "./tls/host-options.js";
export type { WaitOptions } from "./wait.js";
