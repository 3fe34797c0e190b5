import type { Logger } from "../hclog/logger.js";
import type { Channel, Session } from "../yamux/index.js";

export type OnConnection = (connection: Channel) => void;

/**
 * Gives the streams of a multiplexed connection to those who wait for them (go-plugin: internal/grpcmux). Nothing in
 * a stream says whom it is for: a knock on the broker's stream announces the next one.
 */
export class Muxer {
  readonly #session: Session;
  readonly #logger: Logger;
  readonly #listeners = new Map<number, OnConnection>();
  readonly #fallback: OnConnection | undefined;
  /** The id that the next stream is for. The other side knocks for one stream at a time. */
  #expected: number | undefined;

  /** @param fallback takes streams that nobody knocked for: a plugin's main server; a host has none */
  constructor(session: Session, logger: Logger, fallback?: OnConnection) {
    this.#session = session;
    this.#logger = logger;
    this.#fallback = fallback;
    void this.#run();
  }

  get closed(): Promise<void> {
    return this.#session.closed;
  }

  listen(id: number, onConnection: OnConnection): void {
    this.#listeners.set(id, onConnection);
  }

  unlisten(id: number): void {
    this.#listeners.delete(id);
  }

  isListening(id: number): boolean {
    return this.#listeners.has(id);
  }

  /** The next stream is for this id. */
  expect(id: number): void {
    this.#expected = id;
  }

  open(signal?: AbortSignal): Promise<Channel> {
    return this.#session.openChannel({ signal });
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  async #run(): Promise<void> {
    try {
      for (;;) this.#dispatch(await this.#session.acceptChannel());
    } catch (error) {
      this.#logger.debug("multiplexed connection ended", { error });
    }
  }

  #dispatch(stream: Channel): void {
    const id = this.#expected;
    this.#expected = undefined;
    const listener = id === undefined ? this.#fallback : this.#listeners.get(id);
    if (listener !== undefined) {
      listener(stream);
      return;
    }
    this.#logger.warn("closing a multiplexed stream that nobody waits for", { id });
    stream.destroy();
  }
}
