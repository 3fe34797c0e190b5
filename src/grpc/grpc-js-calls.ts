import type { Channel, StatusObject } from "@grpc/grpc-js";
import type { Calls } from "./calls.js";
import { fieldsOf, grpcJsMetadata } from "./grpc-js-metadata.js";
import type { GrpcJs } from "./load-grpc-js.js";

type Parent = Parameters<Channel["createCall"]>[3];

/** Calls on grpc-js's channel, without its clients. */
export function grpcJsCalls(grpcJs: GrpcJs, channel: Channel): Calls {
  return {
    start(head, listener) {
      const { path, deadline, host, credentials, metadata, propagateFlags } = head;
      const parent = (head.parent ?? null) as Parent;
      const call = channel.createCall(path, deadline, host, parent, propagateFlags);
      if (credentials !== undefined) call.setCredentials(credentials);
      // grpc-js knows whether a message is asked for, and not how many.
      let wanted = 0;
      const ongoing = {
        send(message: Buffer) {
          call.sendMessageWithContext({ callback: () => listener.onDrain?.() }, message);
          return false;
        },
        halfClose: () => call.halfClose(),
        read() {
          if (wanted++ === 0) call.startRead();
        },
        cancel: (code: number, details: string) => call.cancelWithStatus(code, details),
      };
      call.start(grpcJsMetadata(grpcJs, metadata), {
        onReceiveMetadata: (received) => listener.onHeaders(fieldsOf(received)),
        onReceiveMessage(message: Buffer) {
          wanted--;
          listener.onMessage(message);
          if (wanted > 0) call.startRead();
        },
        onReceiveStatus({ code, details, metadata, cause }: StatusObject & { cause?: Error }) {
          listener.onStatus({ code, details, trailers: fieldsOf(metadata), cause });
        },
      });
      listener.onBegin(ongoing);
      return ongoing;
    },
  };
}
