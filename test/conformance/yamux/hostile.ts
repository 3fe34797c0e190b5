// Frames that no honest peer sends, and what must come of them. The same table is played against Go, which shows that
// the expectations are Go's, or where goplug differs on purpose (`go`).
import type { Duplex } from "node:stream";

export const DATA = 0;
export const WU = 1;
export const PING = 2;
export const GO_AWAY = 3;
export const SYN = 1;
export const ACK = 2;
export const FIN = 4;
export const RST = 8;

export function frame(
  type: number,
  flags: number,
  id: number,
  length: number,
  payload: Uint8Array | string = "",
): Buffer {
  const header = Buffer.alloc(12);
  header[1] = type;
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(length, 8);
  return Buffer.concat([header, Buffer.from(payload as Uint8Array)]);
}

/** A data frame with its payload. */
export function data(id: number, payload: Uint8Array | string, flags = 0): Buffer {
  return frame(DATA, flags, id, payload.length, payload);
}

export interface Hostile {
  name: string;
  /** Sent by a client to a server that echoes each stream which starts with "E", and ignores one that starts with "I". */
  frames: Buffer;
  /** Does the session live on? Then a ping is answered. */
  session: "lives" | "dies";
  /** With what the server's session ends. */
  code?: string;
  /** What Go does, where that differs. */
  go?: "lives" | "dies";
  /** Frames that must be among the answers. */
  answers?: Buffer[];
}

const open = (id: number): Buffer => frame(WU, SYN, id, 0);
const many = (count: number, make: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));

export const hostile: Hostile[] = [
  {
    name: "bad version",
    frames: Buffer.concat([Buffer.from([1]), frame(PING, SYN, 0, 1).subarray(1)]),
    session: "dies",
    code: "ERR_YAMUX_INVALID_VERSION",
  },
  { name: "bad type", frames: frame(4, 0, 0, 0), session: "dies", code: "ERR_YAMUX_INVALID_MSG_TYPE" },
  { name: "type 255", frames: frame(255, 0, 0, 0), session: "dies", code: "ERR_YAMUX_INVALID_MSG_TYPE" },
  {
    name: "duplicate SYN",
    frames: Buffer.concat([open(1), open(1)]),
    session: "dies",
    code: "ERR_YAMUX_DUPLICATE_STREAM",
  },
  {
    name: "a frame one byte longer than the window",
    frames: Buffer.concat([open(1), frame(DATA, 0, 1, 262_145), Buffer.alloc(1000)]),
    session: "dies",
    code: "ERR_YAMUX_RECV_WINDOW_EXCEEDED",
  },
  {
    name: "a byte beyond a window that nobody reads",
    frames: Buffer.concat([open(1), data(1, `I${"x".repeat(262_143)}`), data(1, "x")]),
    session: "dies",
    code: "ERR_YAMUX_RECV_WINDOW_EXCEEDED",
  },
  {
    name: "a whole window",
    frames: Buffer.concat([open(1), data(1, `I${"x".repeat(262_143)}`)]),
    session: "lives",
  },
  {
    name: "second FIN while the other side is open",
    frames: Buffer.concat([open(1), data(1, "I"), frame(WU, FIN, 1, 0), frame(WU, FIN, 1, 0)]),
    session: "dies",
    code: "ERR_YAMUX_UNEXPECTED_FLAG",
  },
  {
    name: "data after FIN",
    frames: Buffer.concat([open(1), data(1, "I"), frame(WU, FIN, 1, 0), data(1, "late")]),
    session: "lives",
  },
  { name: "data for an unknown stream", frames: data(7, "x".repeat(70_000)), session: "lives" },
  {
    name: "WU, FIN and RST for an unknown stream",
    frames: Buffer.concat([frame(WU, 0, 9, 5), frame(WU, FIN, 9, 0), frame(WU, RST, 9, 0)]),
    session: "lives",
  },
  {
    name: "reserved flags",
    frames: Buffer.concat([frame(WU, SYN | 0xfff0, 1, 0), data(1, "Ehi", 0xff00)]),
    session: "lives",
    answers: [frame(WU, ACK, 1, 0), data(1, "hi")],
  },
  {
    name: "4 GiB of data on a known stream",
    frames: Buffer.concat([open(1), frame(DATA, 0, 1, 0xffff_ffff)]),
    session: "dies",
    code: "ERR_YAMUX_RECV_WINDOW_EXCEEDED",
  },
  {
    name: "a window update that overflows 32 bits",
    frames: Buffer.concat([open(1), data(1, "I"), frame(WU, 0, 1, 0xffff_ffff)]),
    session: "dies",
    code: "ERR_YAMUX_SEND_WINDOW_OVERFLOW",
    // Go's counter wraps round, which would leave this side with a window the peer does not mean.
    go: "lives",
  },
  {
    name: "ACK for nothing",
    frames: Buffer.concat([frame(WU, ACK, 2, 0), open(1), frame(WU, ACK, 1, 0), frame(WU, ACK, 1, 0)]),
    session: "lives",
  },
  {
    name: "RST storm",
    frames: many(2000, (i) => Buffer.concat([open(2 * i + 1), frame(WU, RST, 2 * i + 1, 0)])),
    session: "lives",
  },
  { name: "SYN and RST in one frame", frames: frame(WU, SYN | RST, 1, 0), session: "lives" },
  {
    name: "SYN, FIN and payload in one frame",
    frames: data(1, "Eyes", SYN | FIN),
    session: "lives",
    answers: [data(1, "yes"), frame(WU, FIN, 1, 0)],
  },
  {
    name: "the payload of a frame with RST",
    frames: Buffer.concat([open(1), data(1, "E"), data(1, "x".repeat(1000), RST)]),
    session: "lives",
  },
  {
    name: "stream id 0 and an id of the wrong parity",
    frames: Buffer.concat([open(0), data(0, "Ea"), open(2), data(2, "Eb")]),
    session: "lives",
    answers: [data(0, "a"), data(2, "b")],
  },
  {
    name: "an id used again after its stream is over",
    frames: Buffer.concat([open(1), frame(WU, RST, 1, 0), open(1), data(1, "Eagain")]),
    session: "lives",
    answers: [data(1, "again")],
  },
  {
    name: "ping answers to nothing",
    frames: Buffer.concat([frame(PING, ACK, 0, 99), frame(PING, 0, 0, 5), frame(PING, FIN, 3, 5)]),
    session: "lives",
  },
  { name: "GoAway 0", frames: frame(GO_AWAY, 0, 0, 0), session: "lives" },
  { name: "GoAway 1", frames: frame(GO_AWAY, 0, 0, 1), session: "dies", code: "ERR_YAMUX_GO_AWAY" },
  { name: "GoAway 2", frames: frame(GO_AWAY, 0, 0, 2), session: "dies", code: "ERR_YAMUX_GO_AWAY" },
  { name: "GoAway 77", frames: frame(GO_AWAY, 0, 0, 77), session: "dies", code: "ERR_YAMUX_GO_AWAY" },
  {
    name: "a stream opened after GoAway 0",
    frames: Buffer.concat([frame(GO_AWAY, 0, 0, 0), open(1), data(1, "Eup")]),
    session: "lives",
    answers: [data(1, "up")],
  },
  {
    name: "empty data frames",
    frames: Buffer.concat([open(1), many(1000, () => frame(DATA, 0, 1, 0)), data(1, "Ez")]),
    session: "lives",
    answers: [data(1, "z")],
  },
];

export interface Outcome {
  session: "lives" | "dies";
  received: Buffer;
}

const LAST_PING = 0xabcd;

/** Plays a case as the client of a raw connection: sends its frames and a ping, and waits for its answer or the end. */
export function playHostile(conn: Duplex, frames: Buffer, settle: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const reply = frame(PING, ACK, 0, LAST_PING);
    const done = (session: "lives" | "dies"): void => {
      clearTimeout(timer);
      resolve({ session, received: Buffer.concat(chunks) });
      conn.destroy();
    };
    let timer: NodeJS.Timeout | undefined;
    conn.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      // Echoes come a little later than the ping's answer.
      if (timer === undefined && Buffer.concat(chunks).includes(reply))
        timer = setTimeout(() => done("lives"), settle);
    });
    conn.on("error", () => done("dies"));
    conn.on("end", () => done("dies"));
    conn.on("close", () => done("dies"));
    conn.write(Buffer.concat([frames, frame(PING, SYN, 0, LAST_PING)]));
  });
}

/** What is wrong with an outcome; undefined if nothing. */
export function judgeHostile(
  test: Hostile,
  outcome: Outcome,
  expected: "lives" | "dies",
): string | undefined {
  if (outcome.session !== expected) return `${test.name}: the session ${outcome.session}`;
  for (const answer of test.answers ?? []) {
    if (!outcome.received.includes(answer))
      return `${test.name}: no ${answer.toString("hex")} in ${outcome.received.toString("hex")}`;
  }
  return undefined;
}
