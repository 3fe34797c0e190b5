import { connect } from "node:net";
import { Client } from "yamux-js";
import type { Open } from "./open.js";

/** It never ends its streams, nor reports the peer's end, and loses frames split over reads: for small messages only. */
export async function yamuxJs(path: string): Promise<Open> {
  const socket = connect({ path });
  await new Promise((resolve) => socket.once("connect", resolve));
  const session = new Client({ enableKeepAlive: false });
  session.setMaxListeners(0);
  session.pipe(socket).pipe(session);
  return (events) => {
    const stream = session.open();
    stream.on("data", events.data).on("drain", events.drain).on("end", events.end);
    return {
      write: (chunk) => stream.write(chunk),
      end: () => {
        stream.close();
      },
    };
  };
}
