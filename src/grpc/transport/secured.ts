import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

/** Whether a stream is one of node:tls, which need not be loaded to tell. */
export function isSecured(stream: Duplex | undefined): stream is TLSSocket {
  return (stream as Partial<TLSSocket> | undefined)?.encrypted === true;
}
