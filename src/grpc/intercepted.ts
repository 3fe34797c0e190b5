import type { Calls, OngoingCall } from "./calls.js";
import { GrpcMissingError } from "./errors.js";
import type { GrpcChannel, Interceptors } from "./grpc-js-types.js";
import { loadGrpcJs, needs } from "./load-grpc-js.js";
import type { AnyMethod } from "./method.js";
import { GrpcStatus } from "./status.js";

/** Whether a call has any. */
export function hasInterceptors({ interceptors, interceptor_providers }: Interceptors): boolean {
  return (interceptors?.length ?? 0) > 0 || (interceptor_providers?.length ?? 0) > 0;
}

/** Calls that go through interceptors of grpc-js's, which is loaded for them. */
export function interceptedCalls(channel: GrpcChannel, method: AnyMethod, given: Interceptors): Calls {
  return {
    start(head, listener) {
      let call: OngoingCall | undefined;
      let cancelled: readonly [code: number, details: string] | undefined;
      Promise.all([loadGrpcJs(needs.interceptors), import("./grpc-js-intercepted.js")])
        .then(([grpcJs, { startIntercepted }]) => {
          call = startIntercepted(grpcJs, channel, method, given, head, listener);
          if (cancelled !== undefined) call.cancel(...cancelled);
        })
        .catch((error: Error) => {
          const code =
            error instanceof GrpcMissingError ? GrpcStatus.FAILED_PRECONDITION : GrpcStatus.INTERNAL;
          listener.onStatus({ code, details: error.message, trailers: [], cause: error });
        });
      return {
        send: (message) => call!.send(message),
        halfClose: () => call!.halfClose(),
        read: () => call!.read(),
        cancel(code, details) {
          if (call === undefined) cancelled = [code, details];
          else call.cancel(code, details);
        },
      };
    },
  };
}
