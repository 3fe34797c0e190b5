import type { Channel } from "../../src/yamux/index.js";
import type { Events, Link, Open } from "./open.js";

const { dial } = (await import(
  new URL("../../dist/yamux/index.js", import.meta.url).href
)) as typeof import("../../src/yamux/index.js");

/** Opening is asynchronous here, since it may have to wait for the backlog: what is written meanwhile is kept. */
class Pending implements Link {
  readonly #events: Events;
  #channel: Channel | undefined;
  #early: Buffer[] = [];
  #ended = false;

  constructor(opened: Promise<Channel>, events: Events) {
    this.#events = events;
    void opened.then((channel) => {
      this.#channel = channel;
      channel.attach(this);
      for (const chunk of this.#early) channel.write(chunk);
      if (this.#ended) channel.end();
      else if (this.#early.length > 0) events.drain();
    });
  }

  write(chunk: Buffer): boolean {
    if (this.#channel !== undefined) return this.#channel.write(chunk);
    this.#early.push(chunk);
    return false;
  }

  end(): void {
    this.#ended = true;
    this.#channel?.end();
  }

  onData(chunk: Buffer): void {
    this.#events.data(chunk);
  }

  onDrain(): void {
    this.#events.drain();
  }

  onEnd(): void {
    this.#events.end();
  }

  onClose(): void {}
}

export async function goplug(path: string): Promise<Open> {
  const session = await dial({ path, enableKeepAlive: false });
  return (events) => new Pending(session.openChannel(), events);
}

/** The same over Duplex streams. */
export async function goplugStreams(path: string): Promise<Open> {
  const session = await dial({ path, enableKeepAlive: false });
  return (events) => {
    const early: Buffer[] = [];
    let ended = false;
    let stream: Awaited<ReturnType<typeof session.open>> | undefined;
    void session.open().then((opened) => {
      stream = opened;
      opened.on("data", events.data).on("drain", events.drain).on("end", events.end);
      let open = true;
      for (const chunk of early) open = opened.write(chunk);
      if (ended) opened.end();
      else if (early.length > 0 && open) events.drain();
    });
    return {
      write(chunk) {
        if (stream !== undefined) return stream.write(chunk);
        early.push(chunk);
        return false;
      },
      end() {
        ended = true;
        stream?.end();
      },
    };
  };
}
