import { connect } from "node:net";
import { yamux } from "@chainsafe/libp2p-yamux";
import type { Open } from "./open.js";

// The connection as libp2p wants it: an event target with the socket's bytes.
class Connection extends EventTarget {
  readonly log = Object.assign(() => {}, {
    error: () => {},
    trace: () => {},
    enabled: false,
    newScope: () => this.log,
  });
  readonly direction = "outbound";
  status = "open";

  constructor(socket: ReturnType<typeof connect>) {
    super();
    this.#socket = socket;
    this.#socket.on("data", (data) => this.dispatchEvent(Object.assign(new Event("message"), { data })));
    this.#socket.on("drain", () => this.dispatchEvent(new Event("drain")));
  }

  readonly #socket: ReturnType<typeof connect>;

  send(data: Uint8Array | Iterable<Uint8Array>): boolean {
    let open = true;
    for (const part of data instanceof Uint8Array ? [data] : data) open = this.#socket.write(part);
    return open;
  }

  abort(error: Error): void {
    throw error;
  }
}

export async function libp2p(path: string): Promise<Open> {
  const socket = connect({ path });
  socket.setMaxListeners(0);
  await new Promise((resolve) => socket.once("connect", resolve));
  const connection = new Connection(socket);
  const muxer = yamux({
    enableKeepAlive: false,
    maxOutboundStreams: 100_000,
    streamOptions: { inactivityTimeout: 1_000_000 },
  })().createStreamMuxer(connection as never);
  return (events) => {
    const early: Buffer[] = [];
    let ended = false;
    let stream: Awaited<ReturnType<typeof muxer.createStream>> | undefined;
    void Promise.resolve(muxer.createStream()).then((created) => {
      stream = created;
      created.addEventListener("message", ({ data }) => {
        for (const part of data instanceof Uint8Array ? [data] : data) events.data(part as Buffer);
      });
      created.addEventListener("drain", () => events.drain());
      created.addEventListener("remoteCloseWrite", () => events.end());
      let open = true;
      for (const chunk of early) open = created.send(chunk);
      if (ended) void created.close();
      else if (early.length > 0 && open) events.drain();
    });
    return {
      write(chunk) {
        if (stream !== undefined) return stream.send(chunk);
        early.push(chunk);
        return false;
      },
      end() {
        ended = true;
        void stream?.close().catch(() => {});
      },
    };
  };
}
