import type { Channel, InterceptingCall, InterceptorOptions, StatusObject } from "@grpc/grpc-js";
import type { CallHead, OngoingCall, OngoingListener } from "./calls.js";
import { fieldsOf, grpcJsMetadata } from "./grpc-js-metadata.js";
import type { GrpcChannel, Interceptors } from "./grpc-js-types.js";
import type { GrpcJs } from "./load-grpc-js.js";
import type { AnyMethod } from "./method.js";
import { GrpcStatus } from "./status.js";

type Call = ReturnType<Channel["createCall"]>;
type Listener = Parameters<Call["start"]>[1];
type Parent = Parameters<Channel["createCall"]>[3];
type Status = StatusObject & { readonly cause?: Error | undefined };

/** Starts a call at the top of its interceptors: they see messages, what is below them and above sees bytes. */
export function startIntercepted(
  grpcJs: GrpcJs,
  channel: GrpcChannel,
  method: AnyMethod,
  { interceptors = [], interceptor_providers: providers = [] }: Interceptors,
  head: CallHead,
  listener: OngoingListener,
): OngoingCall {
  const definition = method as InterceptorOptions["method_definition"];
  const all = [...interceptors, ...providers.map((provide) => provide(definition))].filter(Boolean);
  let next = (options: InterceptorOptions): InterceptingCall => bottom(channel, method, options);
  for (const interceptor of all.reverse()) {
    const below = next;
    next = (options) => interceptor(options, below);
  }
  const { deadline, host, credentials, propagateFlags, metadata } = head;
  const top = next({
    deadline,
    ...(host !== undefined && { host }),
    ...(credentials !== undefined && { credentials }),
    ...(propagateFlags !== undefined && { propagate_flags: propagateFlags }),
    parent: head.parent as never,
    method_definition: definition,
  });
  const call: OngoingCall = {
    send(message) {
      const context = { callback: () => listener.onDrain?.() };
      top.sendMessageWithContext(context, method.requestDeserialize(message));
      return false;
    },
    halfClose: () => top.halfClose(),
    read: () => top.startRead(),
    cancel: (code, details) => top.cancelWithStatus(code, details),
  };
  let begun = false;
  top.start(grpcJsMetadata(grpcJs, metadata), {
    onReceiveMetadata: (received) => listener.onHeaders(fieldsOf(received)),
    onReceiveMessage: (message) => listener.onMessage(method.responseSerialize(message)),
    onReceiveStatus({ code, details, metadata, cause }: Status) {
      const tell = (): void => listener.onStatus({ code, details, trailers: fieldsOf(metadata), cause });
      if (begun) tell();
      else queueMicrotask(tell);
    },
  });
  listener.onBegin(call);
  begun = true;
  return call;
}

/** The call below all interceptors: it makes bytes of their messages. */
function bottom(channel: GrpcChannel, method: AnyMethod, options: InterceptorOptions): InterceptingCall {
  const { deadline = Infinity, host, parent, propagate_flags: flags, credentials } = options;
  const call = channel.createCall(method.path, deadline, host, (parent ?? null) as Parent, flags);
  if (credentials !== undefined) call.setCredentials(credentials);
  let wanted = 0;
  const face = {
    start(metadata: Parameters<Call["start"]>[0], listener: Partial<Listener> = {}) {
      let failure: Pick<StatusObject, "code" | "details"> | undefined;
      call.start(metadata, {
        onReceiveMetadata: (received) => listener.onReceiveMetadata?.(received),
        onReceiveMessage(bytes: Buffer) {
          wanted--;
          let message: unknown;
          try {
            message = method.responseDeserialize(bytes);
          } catch (error) {
            const details = `Response message parsing error: ${(error as Error).message}`;
            failure = { code: GrpcStatus.INTERNAL, details };
            call.cancelWithStatus(failure.code, failure.details);
            return;
          }
          listener.onReceiveMessage?.(message);
          if (wanted > 0) call.startRead();
        },
        onReceiveStatus: (status) => listener.onReceiveStatus?.({ ...status, ...failure }),
      });
    },
    sendMessageWithContext(context: Parameters<Call["sendMessageWithContext"]>[0], message: unknown) {
      let bytes: Buffer;
      try {
        bytes = method.requestSerialize(message);
      } catch (error) {
        const details = `Request message serialization failure: ${(error as Error).message}`;
        call.cancelWithStatus(GrpcStatus.INTERNAL, details);
        return;
      }
      call.sendMessageWithContext(context, bytes);
    },
    sendMessage: (message: unknown) => face.sendMessageWithContext({}, message),
    startRead() {
      // grpc-js knows whether a message is asked for, and not how many.
      if (wanted++ === 0) call.startRead();
    },
    halfClose: () => call.halfClose(),
    cancelWithStatus: (code: number, details: string) => call.cancelWithStatus(code, details),
    getPeer: () => call.getPeer(),
    getAuthContext: () => call.getAuthContext(),
  };
  return face as unknown as InterceptingCall;
}
