// Connections, sessions and frames for the tests of HTTP/2.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { after } from "node:test";
import { putHeader } from "../../../src/http2/frame.js";
import { encodedBound, HpackEncoder, listSize } from "../../../src/http2/hpack-encoder.js";
import {
  duplexConnection,
  type HeaderList,
  type Http2Error,
  type OnStream,
  Session,
  type SessionOptions,
  type Stream,
  type StreamHandler,
} from "../../../src/http2/index.js";
import { listenPath } from "../../support.js";

const alive = setInterval(() => {}, 1000);
after(() => clearInterval(alive));

let sockets = 0;

/** Two ends of a unix socket. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  const path = listenPath(tmpdir(), `goplug-http2-${process.pid}-${++sockets}`);
  server.listen(path);
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const client = connect(path);
  const [socket] = await accepted;
  server.close();
  after(() => {
    client.destroy();
    socket.destroy();
  });
  return [client, socket];
}

export async function sessionPair(
  onStream: OnStream,
  client: SessionOptions = {},
  server: SessionOptions = {},
): Promise<{ client: Session; server: Session }> {
  const [a, b] = await socketPair();
  const pair = {
    client: Session.client(duplexConnection(a), client),
    server: Session.server(duplexConnection(b), onStream, server),
  };
  await pair.client.ready;
  return pair;
}

/** What a stream has told. */
export class Recorder implements StreamHandler {
  readonly events: string[] = [];
  readonly headers: HeaderList[] = [];
  readonly chunks: Buffer[] = [];
  bytes = 0;
  error: Http2Error | undefined;
  stream: Stream | undefined;
  /** Whether what comes is given back at once. */
  reading = true;
  readonly over: Promise<Http2Error | undefined>;
  #end!: (error: Http2Error | undefined) => void;
  onDrain: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  onHeaders(headers: HeaderList, end: boolean): void {
    this.headers.push(headers);
    this.events.push(end ? "headers, end" : "headers");
  }

  onData(chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk));
    this.bytes += chunk.length;
    if (this.events.at(-1) !== "data") this.events.push("data");
    if (this.reading) this.stream?.consumed(chunk.length);
  }

  onEnd(): void {
    this.events.push("end");
  }

  onClose(error: Http2Error | undefined): void {
    this.error = error;
    this.events.push("close");
    this.#end(error);
  }
}

export const request: HeaderList = [":method", "POST", ":scheme", "http", ":path", "/", ":authority", "test"];

/** Sends a request and records what comes of it. */
export function ask(session: Session, body?: Uint8Array, headers: HeaderList = request): Recorder {
  const recorder = new Recorder();
  recorder.stream = session.open(headers, recorder);
  if (body !== undefined) recorder.stream.write(body);
  recorder.stream.end();
  return recorder;
}

/** A server that sends back what it gets, with its length as a trailer. */
export const echo: OnStream = (stream) => {
  let bytes = 0;
  const finish = (): void => stream.end(["x-bytes", String(bytes)]);
  stream.respond([":status", "200"], false);
  return {
    onHeaders: (_headers, end) => end && finish(),
    onData(chunk) {
      bytes += chunk.length;
      stream.write(Buffer.from(chunk));
      stream.consumed(chunk.length);
    },
    onEnd: finish,
    onClose() {},
  };
};

export function frame(type: number, flags: number, id: number, payload: Uint8Array | string = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload.replaceAll(" ", ""), "hex") : payload;
  const whole = Buffer.alloc(9 + bytes.length);
  putHeader(whole, 0, bytes.length, type, flags, id);
  whole.set(bytes, 9);
  return whole;
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Header fields that leave no trace in the table. */
export function headerBlock(...headers: HeaderList): Buffer {
  const target = Buffer.alloc(encodedBound(listSize(headers)));
  return target.subarray(0, new HpackEncoder(() => true).encode(headers, target, 0));
}
