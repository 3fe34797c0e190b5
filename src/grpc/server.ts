import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import type { Logger } from "../hclog/logger.js";
import { tlsAcceptor } from "../tls/accept.js";
import type { PluginTls } from "../tls/plugin-options.js";

/** A grpc-js server without limits on the size of messages, as go-plugin's hosts have none; options come on top. */
export function makeServer(options: ServerOptions | undefined): Server {
  return new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    ...options,
  });
}

/** Hands connections to a server that does not listen itself. */
export class Injector {
  readonly #connections = new Set<Duplex>();
  #onEmpty: (() => void) | undefined;
  readonly #inject: (connection: Duplex) => void;

  constructor(server: Server, tls: PluginTls | undefined, logger: Logger) {
    // TLS is goplug's business, which pins AutoMTLS certificates; what comes here is secured already.
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const inject = (connection: Duplex): void => {
      this.#connections.add(connection);
      connection.once("close", () => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onEmpty?.();
      });
      injector.injectConnection(connection);
    };
    this.#inject = tls === undefined ? inject : secured(tls, logger, inject);
  }

  /** Connections that are open now. */
  get size(): number {
    return this.#connections.size;
  }

  inject(connection: Duplex): void {
    this.#inject(connection);
  }

  /** Resolves once no connection is open. */
  async drained(): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}

function secured(tls: PluginTls, logger: Logger, inject: (connection: Duplex) => void): typeof inject {
  // grpc-go's clients insist on the name of HTTP/2, and Node's server on having been asked for it.
  const withAlpn = { ...tls, options: { ALPNProtocols: ["h2"], ...tls.options } };
  const accept = tlsAcceptor(withAlpn, {
    secured(socket) {
      // HTTP/2 has no use for a connection that is half open.
      socket.allowHalfOpen = false;
      inject(socket);
    },
    refused: (error) => logger.warn("plugin: connection refused", { error }),
  });
  // Node shakes hands on any Duplex; only the types say Socket.
  return (connection) => accept(connection as Socket);
}

/**
 * Ends a server: no new calls; those that run may go on for `graceMs`, then they are cancelled.
 */
export async function stopServer(server: Server, injector: Injector, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    // Not unref'd: the process must not end before, and the wait is bounded.
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    // Since Node 24 closing a server begins to close its sessions, which grpc-js then takes for closed though calls run.
    server.tryShutdown(async () => {
      await injector.drained();
      clearTimeout(timer);
      resolve();
    });
  });
  // grpc-js's forceShutdown reaches the sessions only where channelz counts them.
  injector.destroy();
}
