import type { Stream, StreamHandler } from "../../http2/index.js";
import { encodeMessage } from "./status.js";

/** Refuses a request that is none of gRPC's, or is for nobody. */
export function refuse(stream: Stream, httpStatus: string, code: number, details: string): void {
  const headers = [":status", httpStatus, "content-type", "application/grpc"];
  stream.respond(
    [...headers, "grpc-status", String(code), "grpc-message", encodeMessage(details)],
    true,
    true,
  );
}

/** What a refused stream tells goes to nobody. */
export function nobody(stream: Stream): StreamHandler {
  return {
    onHeaders() {},
    onData: (chunk) => stream.consumed(chunk.length),
    onEnd() {},
    onClose() {},
  };
}
