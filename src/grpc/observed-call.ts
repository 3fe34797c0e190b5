import type { ClientOptions, StatusObject } from "@grpc/grpc-js";
import { type CallObserver, ObservedCall } from "../diagnostics.js";
import { GrpcError } from "./errors.js";
import { isOwnService } from "./own-services.js";

type Call = ReturnType<NonNullable<ClientOptions["channelOverride"]>["createCall"]>;
type Listener = Parameters<Call["start"]>[1];

/** Lets the observers of a channel see a call of grpc-js's clients. */
export function observed(call: Call, method: string, observer: CallObserver | undefined): Call {
  if (isOwnService(method)) return call;
  let seen: ObservedCall | undefined;
  const start = call.start.bind(call);
  const send = call.sendMessageWithContext.bind(call);
  call.start = (metadata, listener) => {
    seen = ObservedCall.of(observer, { protocol: "grpc", method, metadata });
    if (seen === undefined) start(metadata, listener);
    else seen.begin(() => start(metadata, observing(listener, seen!, method)));
  };
  call.sendMessageWithContext = (context, message) => {
    seen?.sent(message.length);
    send(context, message);
  };
  return call;
}

function observing(listener: Listener, seen: ObservedCall, method: string): Listener {
  return {
    onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
    onReceiveMessage(message) {
      seen.received(message.length);
      listener.onReceiveMessage(message);
    },
    onReceiveStatus(status) {
      if (status.code === 0) seen.succeed();
      else seen.fail(failure(method, status));
      listener.onReceiveStatus(status);
    },
  };
}

function failure(method: string, { code, details, cause }: StatusObject & { cause?: unknown }): GrpcError {
  return new GrpcError(code, details, { what: method, cause });
}
