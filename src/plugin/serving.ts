import type { Logger } from "../hclog/logger.js";
import type { OpenSocket } from "../socket/open.js";
import { shareSignal } from "../wait.js";
import type { OutputQueue } from "./output-queue.js";
import type { ProtocolServer } from "./protocol-server.js";

/** What is printed, on its way to the hosts. */
export interface Output {
  readonly stdout: OutputQueue;
  readonly stderr: OutputQueue;
}

/**
 * Makes the server for the connections. It calls `onQuit` when a host asks the plugin to end, and answers that host once
 * the promise has settled.
 */
export type StartServer = (output: Output, onQuit: () => Promise<void>) => ProtocolServer;

/** What a plugin serves, and by which way hosts come to it. */
export interface ServingParts {
  readonly listener: OpenSocket;
  readonly start: StartServer;
  readonly output: Output;
  readonly logger: Logger;
  /** Stops the serving when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds that hosts have to take what the plugin has printed before it ends. */
const FLUSH_MS = 1500;

/** Serves the connections of a listener, from its making until it is told to stop. */
export class Serving {
  readonly server: ProtocolServer;
  /** Resolves when a host has called Quit, the signal has fired, or `stop` was called. */
  readonly stopped: Promise<void>;
  readonly #parts: ServingParts;
  #resolve!: () => void;
  #quitting = false;

  constructor(parts: ServingParts) {
    const { listener, logger, signal } = parts;
    this.#parts = parts;
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.server = parts.start(parts.output, () => this.#quit());
    listener.server.on("connection", (connection) => this.server.serve(connection));
    listener.server.on("error", (error) => logger.error("plugin server", { error }));
    shareSignal(signal);
    if (signal?.aborted) this.stop();
    else signal?.addEventListener("abort", this.stop, { once: true });
  }

  readonly stop = (): void => this.#resolve();

  /** Takes no more connections, lets the hosts have what was printed, and ends the connections that there are. */
  async end(): Promise<void> {
    const { listener, signal } = this.#parts;
    signal?.removeEventListener("abort", this.stop);
    listener.close();
    this.server.stopServing();
    // Quit's answer has waited for the hosts already, and they give the process 2 s from then on.
    if (!this.#quitting) await this.#flush();
    await this.server.close();
  }

  async #quit(): Promise<void> {
    // Once Quit is answered the host closes its streams: what was printed before has to be there by then.
    await this.#flush();
    this.#quitting = true;
    setImmediate(this.stop);
  }

  async #flush(): Promise<void> {
    const { stdout, stderr } = this.#parts.output;
    await Promise.all([stdout.flush(FLUSH_MS), stderr.flush(FLUSH_MS)]);
  }
}

/** Where a listener is found. */
export function addressOf({ network, address }: OpenSocket): Pick<OpenSocket, "network" | "address"> {
  return { network, address };
}
