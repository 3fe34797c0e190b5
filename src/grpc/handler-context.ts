import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { AbortedError } from "../errors.js";
import type { Metadata } from "./metadata.js";

// biome-ignore lint/suspicious/noExplicitAny: what the messages are is the handler's business
type Any = any;

/** A call as grpc-js's handlers get it. */
export type ServerCall =
  | ServerUnaryCall<Any, Any>
  | ServerReadableStream<Any, Any>
  | ServerWritableStream<Any, Any>
  | ServerDuplexStream<Any, Any>;

/**
 * What a handler gets beside its request. Its metadata is goplug's; in handlers of grpc-js's definitions
 * (`promiseHandlers`) it is grpc-js's.
 */
export interface HandlerContext<M = Metadata> {
  /** Fires when the caller has cancelled the call, its deadline has passed, or its connection is gone. */
  readonly signal: AbortSignal;
  /** What the caller sent before its request. */
  readonly metadata: M;
  /** When the caller stops waiting; undefined if it never does. */
  readonly deadline: Date | undefined;
  /** What goes out before the first answer: set what the caller should get. `call.sendMetadata` sends at once. */
  readonly header: M;
  /** What goes out with the status. */
  readonly trailer: M;
  /** grpc-js's call: peer, authentication, path. */
  readonly call: ServerCall;
}

/** A call under way. Most handlers use little of their context: its parts are made when they are asked for. */
export class HandlerCall implements HandlerContext {
  readonly call: ServerCall;
  #abort: AbortController | undefined;
  #header: Metadata | undefined;
  #trailer: Metadata | undefined;
  #onCancelled: (() => void)[] = [];
  /** A call that was cancelled stays so; one whose handler is done is never cancelled. */
  #state: "running" | "cancelled" | "done" = "running";

  constructor(call: ServerCall) {
    this.call = call;
    (call as ServerUnaryCall<Any, Any>).once("cancelled", () => this.#cancel());
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#state === "cancelled") this.#abort.abort(this.#reason());
    }
    return this.#abort.signal;
  }

  get metadata(): Metadata {
    return this.call.metadata as unknown as Metadata;
  }

  get deadline(): Date | undefined {
    return dateOf(this.call.getDeadline());
  }

  get header(): Metadata {
    this.#header ??= this.#emptyMetadata();
    return this.#header;
  }

  get trailer(): Metadata {
    this.#trailer ??= this.#emptyMetadata();
    return this.#trailer;
  }

  /** The trailer, if the handler has used it. */
  get usedTrailer(): Metadata | undefined {
    return this.#trailer;
  }

  /** Sends the header, if the handler has used it and it has not gone yet. */
  sendHeader(): void {
    const header = this.#header;
    this.#header = undefined;
    if (header !== undefined && !this.call.cancelled) this.call.sendMetadata(header as never);
  }

  /** Calls back when the call is cancelled; at once if it was. */
  onCancelled(callback: () => void): void {
    if (this.#state === "cancelled") callback();
    else this.#onCancelled.push(callback);
  }

  /** The handler is done. grpc-js says "cancelled" at the end of every call; a call that was answered was not. */
  end(): void {
    if (this.#state === "running") this.#state = "done";
    this.#onCancelled = [];
  }

  #cancel(): void {
    if (this.#state !== "running") return;
    this.#state = "cancelled";
    for (const callback of this.#onCancelled.splice(0)) callback();
    this.#abort?.abort(this.#reason());
  }

  #reason(): AbortedError {
    return new AbortedError(`the call of ${this.call.getPath()}`, undefined);
  }

  /** Of the class that the caller's metadata has, goplug's or grpc-js's. */
  #emptyMetadata(): Metadata {
    return new (this.call.metadata.constructor as unknown as new () => Metadata)();
  }
}

function dateOf(deadline: Date | number): Date | undefined {
  if (deadline instanceof Date) return deadline;
  return Number.isFinite(deadline) ? new Date(deadline) : undefined;
}
