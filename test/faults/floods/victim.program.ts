// A process that is flooded: over each connection a session with a broker, and net/rpc on its first stream; on a second
// socket net/rpc without yamux. It says how it fares over IPC.
import { createServer, type Socket } from "node:net";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import { RpcServer } from "../../../src/netrpc/index.js";
import { Session } from "../../../src/yamux/index.js";
import { table } from "./table.js";

const fat = Buffer.alloc(65_536);
const server = new RpcServer().register("Plugin", table, { Echo: (bytes) => bytes, Fat: () => fat });

// Counted without a listener of `data`, which would have the sockets read in another way.
const open = new Set<Socket>();
let ended = 0;
const received = (): number => ended + [...open].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
const watched = (socket: Socket): Socket => {
  open.add(socket);
  return socket.once("close", () => {
    open.delete(socket);
    ended += socket.bytesRead;
  });
};
let lines = 0;
const logger = { trace() {}, debug() {}, info() {}, warn: () => void lines++, error: () => void lines++ };

const muxed = createServer((socket) => {
  const session = Session.server(watched(socket));
  void session.acceptChannel().then(
    (channel) => {
      new MuxBroker(session, { logger });
      return server.serve(channel);
    },
    () => {},
  );
});
const plain = createServer((socket) => {
  void server.serve(watched(socket));
});

/** The most bytes that were taken in one turn of the event loop since the last report. */
let mostPerTurn = 0;
let before = 0;
const watch = (): void => {
  const sum = received();
  mostPerTurn = Math.max(mostPerTurn, sum - before);
  before = sum;
  setImmediate(watch);
};

const [muxedPath, plainPath] = process.argv.slice(2);
muxed.listen(muxedPath, () => plain.listen(plainPath, () => process.send!("listening")));
watch();
process.on("message", () => {
  process.send!({ rss: process.memoryUsage.rss(), received: received(), mostPerTurn, lines });
  mostPerTurn = 0;
});
process.on("disconnect", () => process.exit());
