import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { builtin } from "../builtin.js";
import { DEFAULT_HANDSHAKE_TIMEOUT } from "./connect.js";
import { TlsError, tlsFailure } from "./errors.js";
import { beginHandshake } from "./pace.js";
import { isPinned } from "./pinned-certificate.js";
import type { PluginTls } from "./plugin-options.js";

export interface TlsAcceptHandlers {
  /**
   * Takes a connection whose handshake is done and whose peer is the rightful one. It stays open for writing when the
   * peer has ended its side, as Go's connections do.
   */
  secured(socket: TLSSocket): void;
  /** Hears of each connection that was refused, once; it is closed already. */
  refused(error: TlsError): void;
}

/**
 * Makes what secures the connections of a listening socket: give it to the `connection` event of a net.Server (unix
 * or TCP). A connection that does not come through its handshake, for its certificate or within the time limit, is
 * closed; the others do not notice.
 *
 * @param handshakeTimeout milliseconds; default 10,000
 */
export function tlsAcceptor(
  { options, pinned }: PluginTls,
  handlers: TlsAcceptHandlers,
  handshakeTimeout: number = DEFAULT_HANDSHAKE_TIMEOUT,
): (connection: Socket) => void {
  // Never listens: it only shakes hands on the connections that it is handed.
  const server = builtin.tls.createServer({ handshakeTimeout, ...options });
  server.on("secureConnection", (socket) => {
    // The host's certificate is its own CA: what it has signed would pass the chain's verification too.
    if (pinned !== undefined && !isPinned(socket.getPeerCertificate().raw, pinned)) {
      discard(socket);
      handlers.refused(
        new TlsError("ERR_TLS_PEER", "refused connection: the client's certificate is not the host's"),
      );
      return;
    }
    // Not before: a peer that leaves in mid-handshake must end it.
    socket.allowHalfOpen = true;
    handlers.secured(socket);
  });
  server.on("tlsClientError", (error, socket) => {
    // Node leaves a connection open whose handshake timed out.
    discard(socket);
    handlers.refused(refusal(error, socket.authorizationError));
  });
  return (connection) => {
    // Until the TLS socket above it hears of them.
    connection.on("error", () => {});
    beginHandshake(() => {
      if (!connection.destroyed) server.emit("connection", connection);
    });
  };
}

function discard(socket: TLSSocket): void {
  socket.on("error", () => {});
  socket.destroy();
}

/** Node reports a client whose certificate does not verify as a hang-up, and keeps the reason with the socket. */
function refusal(error: Error, unauthorized: Error | string | undefined): TlsError {
  if (unauthorized) {
    const reason = unauthorized instanceof Error ? unauthorized.message : unauthorized;
    const message = `refused connection: the client's certificate is refused: ${reason}`;
    return new TlsError("ERR_TLS_PEER", message, { cause: error });
  }
  return tlsFailure("refused connection", error);
}
