/**
 * Go's net/rpc over gob: client and server.
 *
 * @module goplug/netrpc
 */

export { type ByteChannel, type ByteChannelHandler, duplexChannel } from "./channel.js";
export { RpcClient, type RpcClientOptions } from "./client.js";
export type { CodecOptions } from "./codec-options.js";
export {
  BadReplyError,
  CallCancelledError,
  CallTimeoutError,
  ConnectionLostError,
  NetRpcError,
  RemoteError,
  ShutdownError,
  UnknownMethodError,
} from "./errors.js";
export {
  type CallContext,
  type Caller,
  caller,
  implemented,
  type MethodTable,
  type OptionalMethods,
  type PartialReceiver,
  type Receiver,
} from "./methods.js";
export type { CallOptions } from "./pending-call.js";
export { type RegisterOptions, RpcServer, type ServeOptions } from "./server.js";
export type { Method, RpcServerOptions, ServerLimits, ServerLogger } from "./server-options.js";
export type { UnansweredCall, UnansweredOptions } from "./unanswered.js";
