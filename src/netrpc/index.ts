export { type ByteChannel, type ByteChannelHandler, duplexChannel } from "./channel.js";
export { RpcClient, type RpcClientOptions } from "./client.js";
export {
  BadReplyError,
  CallTimeoutError,
  ConnectionLostError,
  NetRpcError,
  RemoteError,
  ShutdownError,
} from "./errors.js";
export { type CallContext, type Caller, caller, type MethodTable, type Receiver } from "./methods.js";
export type { CallOptions } from "./pending-call.js";
export { RpcServer, type ServeOptions } from "./server.js";
export type { Method, RpcServerOptions, ServerLogger } from "./server-options.js";
