import { Decoder, type DecoderOptions, NEED_MORE } from "../gob/index.js";
import { CANCEL_METHOD, cancelArg } from "./cancel.js";
import { answerText, request } from "./messages.js";
import type { Method } from "./server-options.js";

/** Finds a method, or says with Go's exact text why there is none. */
export type FindMethod = (serviceMethod: string) => Method | string;

/** What a call counts beside its bytes: an object or two, a promise, and what the handler holds. */
const CALL_COST = 256;

/** A call from its header on to its answer. */
export interface IncomingCall {
  readonly serviceMethod: string;
  readonly seq: number;
  /** What it counts while it is unanswered, in bytes; 0 until it has been read whole, or as far as it came. */
  cost: number;
}

/** What a reader tells its connection. */
export interface RequestEvents {
  /** A method is to be run. */
  onCall(call: IncomingCall, method: Method, arg: unknown): void;
  /** A call that cannot be run is to be answered with this error. */
  onBadCall(call: IncomingCall, error: string): void;
  /** The caller has given a call up; that may have been answered meanwhile. */
  onCancel(call: IncomingCall, seq: number): void;
  /** The stream makes no sense any more. */
  onFailed(error: unknown): void;
}

/** The receiving half of a server's connection: decodes calls one by one, and finds their methods. */
export class RequestReader {
  readonly #decoder: Decoder;
  readonly #find: FindMethod;
  readonly #events: RequestEvents;
  /** The call whose argument is still to come, and where its header began. */
  #incoming: IncomingCall | undefined;
  #from = 0;

  constructor(options: DecoderOptions, find: FindMethod, events: RequestEvents) {
    this.#decoder = new Decoder(options);
    this.#find = find;
    this.#events = events;
  }

  /** Whether a call has come as far as its header. */
  get isAmidCall(): boolean {
    return this.#incoming !== undefined;
  }

  /** Memory where the next bytes may be put. */
  room(): Buffer | undefined {
    return this.#decoder.room();
  }

  /** Takes bytes in, to be read by `readOne`. */
  push(chunk: Buffer, mayKeep: boolean): void {
    this.#decoder.push(chunk, !mayKeep);
  }

  /** To be called when no more is read of what was pushed: what is left of it is kept. */
  settle(): void {
    this.#decoder.settle();
  }

  /** The peer ended: a call that it was in the middle of is answered, too (as in Go). */
  end(): void {
    if (this.#incoming !== undefined) this.#refuse(this.#incoming, "unexpected EOF");
  }

  /** Takes one header or argument out of the decoder; false when its bytes are not all there. */
  readOne(): boolean {
    const call = this.#incoming;
    if (call === undefined) return this.#readHeader();
    const method = this.#find(call.serviceMethod);
    if (typeof method !== "string") return this.#readArgument(call, method);
    if (call.serviceMethod === CANCEL_METHOD) return this.#readCancel(call);
    if (this.#skip() === NEED_MORE) return false;
    this.#refuse(call, method);
    return true;
  }

  #readHeader(): boolean {
    this.#from = this.#decoder.consumed;
    try {
      const next = this.#decoder.decode(request);
      if (next === NEED_MORE) return false;
      this.#incoming = { serviceMethod: next.ServiceMethod, seq: next.Seq, cost: 0 };
      return true;
    } catch (error) {
      this.#events.onFailed(error);
      return false;
    }
  }

  #readArgument(call: IncomingCall, method: Method): boolean {
    let arg: unknown;
    try {
      arg = this.#decoder.decode(method.arg);
    } catch (error) {
      this.#refuse(call, answerText(error));
      return true;
    }
    if (arg === NEED_MORE) return false;
    this.#finish(call);
    this.#events.onCall(call, method, arg);
    return true;
  }

  #readCancel(call: IncomingCall): boolean {
    let seq: number | typeof NEED_MORE;
    try {
      seq = this.#decoder.decode(cancelArg);
    } catch (error) {
      this.#refuse(call, answerText(error));
      return true;
    }
    if (seq === NEED_MORE) return false;
    this.#finish(call);
    this.#events.onCancel(call, seq);
    return true;
  }

  /** Discards an argument that nobody takes; one that cannot even be skipped is answered like any other (as Go does). */
  #skip(): unknown {
    try {
      return this.#decoder.skip();
    } catch {
      return true;
    }
  }

  #refuse(call: IncomingCall, error: string): void {
    this.#finish(call);
    this.#events.onBadCall(call, error);
  }

  #finish(call: IncomingCall): void {
    this.#incoming = undefined;
    call.cost = CALL_COST + this.#decoder.consumed - this.#from;
  }
}
