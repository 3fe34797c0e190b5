import type { Duplex } from "node:stream";

/** The plugin's side of either protocol, as {@link Serving} needs it. */
export interface ProtocolServer {
  /** Connections of hosts that are open now. */
  readonly openConnections: number;
  /** Takes a connection, TLS and all. */
  serve(connection: Duplex): void;
  /** Tells those who ask that the plugin does not serve any more; calls go on. */
  stopServing(): void;
  /** Ends all connections; what was written to them before goes out. */
  close(): Promise<void>;
  /** {@link close} for the moment when the process exits. */
  closeNow(): void;
}
