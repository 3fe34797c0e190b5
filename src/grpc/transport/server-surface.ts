import { EventEmitter } from "node:events";
import { Duplex, Readable, Writable } from "node:stream";
import type {
  Metadata,
  ServerErrorResponse,
  ServerInterceptingCallInterface,
  StatusObject,
} from "@grpc/grpc-js";
import { Code } from "./status.js";

// What handlers are given: grpc-js's four kinds of calls, in the same form. The package keeps its classes to itself.

type Intercepting = ServerInterceptingCallInterface;
export type PartialStatusObject = Parameters<Intercepting["sendStatus"]>[0];

export class UnaryCall extends EventEmitter {
  readonly path: string;
  readonly call: Intercepting;
  readonly metadata: Metadata;
  readonly request: unknown;
  cancelled = false;

  constructor(path: string, call: Intercepting, metadata: Metadata, request: unknown) {
    super();
    this.path = path;
    this.call = call;
    this.metadata = metadata;
    this.request = request;
  }
}

export class ReadingCall extends Readable {
  readonly path: string;
  readonly call: Intercepting;
  readonly metadata: Metadata;
  cancelled = false;

  constructor(path: string, call: Intercepting, metadata: Metadata) {
    super({ objectMode: true });
    this.path = path;
    this.call = call;
    this.metadata = metadata;
  }

  override _read(): void {
    this.call.startRead();
  }
}

export class WritingCall extends Writable {
  readonly path: string;
  readonly call: Intercepting;
  readonly metadata: Metadata;
  readonly request: unknown;
  cancelled = false;
  #status: PartialStatusObject = { code: Code.OK, details: "OK" };
  #trailer: Metadata | undefined;

  constructor(path: string, call: Intercepting, metadata: Metadata, request: unknown) {
    super({ objectMode: true });
    this.path = path;
    this.call = call;
    this.metadata = metadata;
    this.request = request;
    this.on("error", (error) => {
      this.#status = errorStatus(error);
      this.end();
    });
  }

  override _write(message: unknown, _encoding: string, callback: () => void): void {
    this.call.sendMessage(message, callback);
  }

  override _final(callback: () => void): void {
    callback();
    this.call.sendStatus({ ...this.#status, metadata: this.#status.metadata ?? this.#trailer ?? null });
  }

  /** grpc-js's end takes the trailer. */
  override end(trailer?: unknown): this {
    if (trailer) this.#trailer = trailer as Metadata;
    return super.end();
  }
}

export class BothCall extends Duplex {
  readonly path: string;
  readonly call: Intercepting;
  readonly metadata: Metadata;
  cancelled = false;
  #status: PartialStatusObject = { code: Code.OK, details: "OK" };
  #trailer: Metadata | undefined;

  constructor(path: string, call: Intercepting, metadata: Metadata) {
    super({ objectMode: true });
    this.path = path;
    this.call = call;
    this.metadata = metadata;
    this.on("error", (error) => {
      this.#status = errorStatus(error);
      this.end();
    });
  }

  override _read(): void {
    this.call.startRead();
  }

  override _write(message: unknown, _encoding: string, callback: () => void): void {
    this.call.sendMessage(message, callback);
  }

  override _final(callback: () => void): void {
    callback();
    this.call.sendStatus({ ...this.#status, metadata: this.#status.metadata ?? this.#trailer ?? null });
  }

  override end(trailer?: unknown): this {
    if (trailer) this.#trailer = trailer as Metadata;
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
