import { Duplex, Readable, Writable } from "node:stream";
import type {
  Metadata,
  ServerErrorResponse,
  ServerInterceptingCallInterface,
  StatusObject,
} from "@grpc/grpc-js";
import { LazyEmitter } from "../lazy-emitter.js";
import { ReadAhead } from "./read-ahead.js";
import { Code } from "./status.js";

// What handlers are given: grpc-js's four kinds of calls, in the same form. The package keeps its classes to itself.

type Intercepting = ServerInterceptingCallInterface;
export type PartialStatusObject = Parameters<Intercepting["sendStatus"]>[0];

/** Of a call without interceptors. */
interface ReceivedMetadata {
  receivedMetadata(): Metadata;
}

export class UnaryCall extends LazyEmitter {
  readonly path: string;
  readonly call: Intercepting;
  readonly request: unknown;
  cancelled = false;
  #metadata: Metadata | undefined;

  /** @param metadata read from the call when it is asked for, where it is not given */
  constructor(path: string, call: Intercepting, metadata: Metadata | undefined, request: unknown) {
    super();
    this.path = path;
    this.call = call;
    this.#metadata = metadata;
    this.request = request;
  }

  get metadata(): Metadata {
    this.#metadata ??= (this.call as Intercepting & ReceivedMetadata).receivedMetadata();
    return this.#metadata;
  }

  set metadata(metadata: Metadata) {
    this.#metadata = metadata;
  }

  /** grpc-js's unary calls, too, are ended with a status by the event `error`. */
  override emit(event: string | symbol, ...given: unknown[]): boolean {
    if (event !== "error") return super.emit(event, ...given);
    this.call.sendStatus(errorStatus(given[0] as Error));
    if (this.listenerCount("error") > 0) super.emit(event, ...given);
    return true;
  }
}

export class ReadingCall extends Readable {
  readonly path: string;
  readonly call: Intercepting;
  readonly metadata: Metadata;
  cancelled = false;
  readonly #ahead = new ReadAhead(() => this.call.startRead());

  constructor(path: string, call: Intercepting, metadata: Metadata) {
    super({ objectMode: true });
    this.path = path;
    this.call = call;
    this.metadata = metadata;
  }

  override _read(): void {
    this.#ahead.want();
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size);
    this.#ahead.taken(message);
    return message;
  }

  /** Takes a message that was so many bytes. */
  receive(message: unknown, bytes: number): void {
    this.#ahead.push(this, message, bytes);
  }
}

/** How the handler of a stream ends its call: once, whatever it does. */
class Ending {
  readonly #call: Intercepting;
  status: PartialStatusObject = { code: Code.OK, details: "OK" };
  trailer: Metadata | undefined;
  #told = false;

  constructor(call: Intercepting) {
    this.#call = call;
  }

  tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#call.sendStatus({ ...this.status, metadata: this.status.metadata ?? this.trailer ?? null });
  }

  /** The handler has destroyed the stream, as `pipeline` does when its source fails: it will give no status. */
  abandon(error: Error | null): void {
    const unexplained = { code: Code.UNKNOWN, details: "the handler has destroyed its call" };
    this.status = error === null ? unexplained : errorStatus(error);
    this.tell();
  }
}

export class WritingCall extends Writable {
  readonly path: string;
  readonly call: Intercepting;
  readonly metadata: Metadata;
  readonly request: unknown;
  cancelled = false;
  readonly #ending: Ending;

  constructor(path: string, call: Intercepting, metadata: Metadata, request: unknown) {
    super({ objectMode: true });
    this.path = path;
    this.call = call;
    this.metadata = metadata;
    this.request = request;
    this.#ending = new Ending(call);
    this.on("error", (error) => {
      this.#ending.status = errorStatus(error);
      this.end();
    });
  }

  override _write(message: unknown, _encoding: string, callback: () => void): void {
    this.call.sendMessage(message, callback);
  }

  override _final(callback: () => void): void {
    callback();
    this.#ending.tell();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.cancelled) this.#ending.abandon(error);
    callback(error);
  }

  /** grpc-js's end takes the trailer. */
  override end(trailer?: unknown): this {
    if (trailer) this.#ending.trailer = trailer as Metadata;
    return super.end();
  }
}

export class BothCall extends Duplex {
  readonly path: string;
  readonly call: Intercepting;
  readonly metadata: Metadata;
  cancelled = false;
  readonly #ending: Ending;
  readonly #ahead = new ReadAhead(() => this.call.startRead());

  constructor(path: string, call: Intercepting, metadata: Metadata) {
    super({ objectMode: true });
    this.path = path;
    this.call = call;
    this.metadata = metadata;
    this.#ending = new Ending(call);
    this.on("error", (error) => {
      this.#ending.status = errorStatus(error);
      this.end();
    });
  }

  override _read(): void {
    this.#ahead.want();
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size);
    this.#ahead.taken(message);
    return message;
  }

  receive(message: unknown, bytes: number): void {
    this.#ahead.push(this, message, bytes);
  }

  override _write(message: unknown, _encoding: string, callback: () => void): void {
    this.call.sendMessage(message, callback);
  }

  override _final(callback: () => void): void {
    callback();
    this.#ending.tell();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.cancelled) this.#ending.abandon(error);
    callback(error);
  }

  override end(trailer?: unknown): this {
    if (trailer) this.#ending.trailer = trailer as Metadata;
    return super.end();
  }
}

/** What all four kinds have; a method each on their prototypes, since they share no class. */
const shared = {
  getPeer: (call: Intercepting) => call.getPeer(),
  sendMetadata: (call: Intercepting, metadata: Metadata) => call.sendMetadata(metadata),
  getDeadline: (call: Intercepting) => call.getDeadline(),
  getHost: (call: Intercepting) => call.getHost(),
  getAuthContext: (call: Intercepting) => call.getAuthContext(),
  getMetricsRecorder: (call: Intercepting) => call.getMetricsRecorder(),
};

for (const { prototype } of [UnaryCall, ReadingCall, WritingCall, BothCall]) {
  for (const [name, method] of Object.entries(shared)) {
    const value = function (this: UnaryCall, metadata: Metadata): unknown {
      return method(this.call, metadata);
    };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
  const value = function (this: UnaryCall): string {
    return this.path;
  };
  Object.defineProperty(prototype, "getPath", { value, writable: true, configurable: true });
}

/** The status that a handler's error is, by grpc-js's rules. */
export function errorStatus(
  error: ServerErrorResponse | Partial<StatusObject> | Error,
  trailer?: Metadata,
): PartialStatusObject {
  const { code, details, message, metadata } = error as Partial<ServerErrorResponse>;
  const rest = { metadata: trailer ?? metadata ?? null };
  const text = typeof message === "string" ? message : "Unknown Error";
  if (typeof code !== "number" || !Number.isInteger(code))
    return { code: Code.UNKNOWN, details: text, ...rest };
  return { code, details: typeof details === "string" ? details : text, ...rest };
}
