// Floods a victim through one connection after another, each until it is told to stop or the victim ends it.
import { connect, type Socket } from "node:net";
import * as gob from "../../../src/gob/index.js";
import { request } from "../../../src/netrpc/messages.js";
import { ACK, DATA, FIN, PING, putHeader, RST, SYN, WINDOW_UPDATE } from "../../../src/yamux/frame.js";
import { FrameParser } from "../../../src/yamux/parser.js";

const CHUNK = 65_536;

function frame(type: number, flags: number, id: number, length: number, payload?: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + (payload?.length ?? 0));
  putHeader(bytes, 0, type, flags, id, length);
  if (payload !== undefined) bytes.set(payload, 12);
  return bytes;
}

/** Makes chunk after chunk of frames, each by the next stream id. */
function frames(make: (id: number) => Buffer): () => Buffer {
  let id = 3;
  return () => {
    const parts: Buffer[] = [];
    for (let length = 0; length < CHUNK; id += 2) {
      const part = make(id);
      parts.push(part);
      length += part.length;
    }
    return Buffer.concat(parts);
  };
}

/** Makes the next chunk; undefined while the first stream's window is used up. */
type Flood = (credit: { bytes: number }) => Buffer | undefined;

const again = (bytes: Buffer): (() => Buffer) => {
  const chunk = Buffer.concat(Array.from({ length: Math.ceil(CHUNK / bytes.length) }, () => bytes));
  return () => chunk;
};

const syn = (id: number): Buffer => frame(WINDOW_UPDATE, SYN, id, 0);
const idBytes = (id: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(id);
  return bytes;
};

/** Requests, without their types after the first. */
function calls(method: string, size: number): { first: Buffer; more: Buffer } {
  const encoder = new gob.Encoder();
  const one = (): Buffer => {
    encoder.encode(request, { ServiceMethod: method, Seq: 7 });
    encoder.encode(gob.bytes, Buffer.alloc(size));
    return Buffer.from(encoder.take());
  };
  return { first: one(), more: one() };
}

/** net/rpc over the first stream: as many bytes as its window takes. */
function muxedCalls(method: string, size: number): Flood {
  const { first, more } = calls(method, size);
  const body = again(more)();
  let begun = false;
  return (credit) => {
    const bytes = begun ? body : first;
    if (credit.bytes < bytes.length) return undefined;
    begun = true;
    credit.bytes -= bytes.length;
    return frame(DATA, 0, 1, bytes.length, bytes);
  };
}

const floods: Record<string, Flood> = {
  SYN: frames(syn),
  "SYN and RST": frames((id) => Buffer.concat([syn(id), frame(WINDOW_UPDATE, RST, id, 0)])),
  "SYN and FIN": frames((id) => Buffer.concat([syn(id), frame(WINDOW_UPDATE, FIN, id, 0)])),
  "SYN, half an id and FIN": frames((id) =>
    Buffer.concat([syn(id), frame(DATA, 0, id, 2, Buffer.alloc(2)), frame(WINDOW_UPDATE, FIN, id, 0)]),
  ),
  "broker ids that nobody accepts": frames((id) =>
    Buffer.concat([syn(id), frame(DATA, 0, id, 4, idBytes(id))]),
  ),
  "the same broker id": frames((id) => Buffer.concat([syn(id), frame(DATA, 0, id, 4, idBytes(5))])),
  pings: again(frame(PING, SYN, 0, 1)),
  "answers to no ping": again(frame(PING, ACK, 0, 9)),
  "window updates": again(frame(WINDOW_UPDATE, 0, 1, 0)),
  "window updates of unknown streams": frames((id) => frame(WINDOW_UPDATE, 0, id, 1)),
  "empty frames": again(frame(DATA, 0, 1, 0)),
  "data of unknown streams": frames((id) => frame(DATA, 0, id, 5, Buffer.alloc(5))),
  "data that nobody reads": frames((id) =>
    Buffer.concat([
      syn(id),
      frame(DATA, 0, id, 4, idBytes(id)),
      frame(DATA, 0, id, 250_000, Buffer.alloc(250_000)),
    ]),
  ),
  "small calls of no method": muxedCalls("Plugin.No", 1),
  "calls whose answers nobody reads": muxedCalls("Plugin.Fat", 1),
};

/** net/rpc without yamux. */
function plainCalls(method: string): Flood {
  const { first, more } = calls(method, 1);
  const body = again(more);
  let begun = false;
  return () => {
    if (begun) return body();
    begun = true;
    return first;
  };
}

const plainFloods: Record<string, () => Flood> = {
  "plain calls of no method": () => plainCalls("Plugin.No"),
  "plain calls whose answers nobody reads": () => plainCalls("Plugin.Fat"),
};

function attack(socket: Socket, name: string): () => object {
  const credit = { bytes: 262_144 };
  const flood = floods[name] ?? plainFloods[name]!();
  let sent = 0;
  let isWaiting = false;
  const more = (): void => {
    isWaiting = false;
    while (!socket.destroyed) {
      const chunk = flood(credit);
      if (chunk === undefined) {
        isWaiting = true;
        return;
      }
      sent += chunk.length;
      if (!socket.write(chunk)) {
        socket.once("drain", more);
        return;
      }
    }
  };
  if (name in floods) {
    socket.write(syn(1));
    // The answers' window is never opened again: nobody reads them.
    const parser = new FrameParser({
      frame(type, _flags, id, length) {
        if (type === WINDOW_UPDATE && id === 1) credit.bytes += length;
        return false;
      },
      payload() {},
    });
    socket.on("data", (chunk) => {
      parser.push(chunk);
      if (isWaiting) more();
    });
  } else if (!name.includes("nobody")) {
    socket.resume();
  }
  more();
  return () => ({ sent, ended: socket.destroyed });
}

let socket: Socket | undefined;
let report = (): object => ({});
process.on("message", (order: { path: string; name: string } | "report" | "stop") => {
  if (order === "report") {
    process.send!(report());
  } else if (order === "stop") {
    socket?.destroy();
    process.send!("stopped");
  } else {
    const opened = connect(order.path);
    socket = opened.on("error", () => {});
    opened.once("connect", () => {
      report = attack(opened, order.name);
      process.send!("attacking");
    });
  }
});
process.on("disconnect", () => process.exit());
