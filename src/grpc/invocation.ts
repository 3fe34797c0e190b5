import { AbortedError, thrownText } from "../errors.js";
import type { HeaderList } from "../http2/index.js";
import { calling, checkOptions, checkSignal } from "../options.js";
import { onceCut } from "../wait.js";
import { type CallSite, errorOf } from "./call-error.js";
import { type CallSettings, headOf } from "./call-settings.js";
import type { Calls, EndStatus, OngoingCall, OngoingListener } from "./calls.js";
import type { GrpcCallError } from "./errors.js";
import { Metadata } from "./metadata.js";
import type { Method } from "./method.js";
import { GrpcStatus } from "./status.js";
import { checkedMessages, type Messages, type OutgoingMessages, writeMessages } from "./write-messages.js";

/** What a call sends: one message, or as many as its caller gives. */
export type Input<Q> = { readonly one: Q } | { readonly many: Messages<Q> };

/** What a client needs of a method. */
export type ClientMethod<Q, A> = Pick<Method<Q, A>, "path" | "requestSerialize" | "responseDeserialize">;

/** What calls have in common, whatever they answer with. */
export abstract class Invocation<Q, A> implements OngoingListener {
  protected readonly method: ClientMethod<Q, A>;
  protected call: OngoingCall | undefined;
  readonly #site: CallSite;
  #settings: CallSettings = {};
  #message: Buffer | undefined;
  #many: Messages<Q> | undefined;
  #outgoing: OutgoingMessages | undefined;
  #onDrain: (() => void) | undefined;
  #release: (() => void) | undefined;
  /** Why this side has ended the call. */
  #failure: Error | undefined;
  #refusal: EndStatus | undefined;
  #inputFailure: { readonly cause: unknown } | undefined;

  constructor(method: ClientMethod<Q, A>, site: CallSite) {
    this.method = method;
    this.#site = site;
  }

  start(calls: Calls, input: Input<Q>, settings: CallSettings): void {
    try {
      checkOptions(settings);
      const { signal, onHeader, onTrailer } = settings;
      checkSignal(signal);
      if (onHeader !== undefined) calling("onHeader", onHeader as never);
      if (onTrailer !== undefined) calling("onTrailer", onTrailer as never);
      this.#settings = settings;
      if (signal?.aborted) throw new AbortedError(`the call of ${this.method.path}`, signal.reason);
      const head = headOf(this.method.path, settings);
      if ("one" in input) this.#message = this.#serialized(input.one);
      else this.#many = checkedMessages(input.many);
      this.call = calls.start(head, this);
      if (signal === undefined) return;
      const limits = { what: `the call of ${this.method.path}`, signal };
      this.#release = onceCut(limits, (error) => this.fail(error));
    } catch (error) {
      this.ended(error as Error);
    }
  }

  onBegin(call: OngoingCall): void {
    this.call = call;
    if (this.#message !== undefined) {
      call.send(this.#message);
      call.halfClose();
    } else this.#feed(call, this.#many!);
    this.begun(call);
  }

  onHeaders(headers: HeaderList): void {
    this.#show(this.#settings.onHeader, headers);
  }

  onMessage(bytes: Buffer): void {
    let answer: A;
    try {
      answer = this.method.responseDeserialize(bytes);
    } catch (error) {
      const details = `Response message parsing error: ${(error as Error).message}`;
      this.refuse(GrpcStatus.INTERNAL, details);
      return;
    }
    this.answered(answer, bytes.length);
  }

  onDrain(): void {
    this.#onDrain?.();
  }

  onStatus(status: EndStatus): void {
    this.#release?.();
    this.#outgoing?.stop();
    if (this.#failure === undefined) this.#show(this.#settings.onTrailer, status.trailers);
    if (this.#failure === undefined) this.ended(this.#errorOf(this.#refusal ?? status));
  }

  /** Ends the call with an error of this side's. */
  protected fail(error: Error): void {
    this.#failure = error;
    this.ended(error);
    this.leave();
  }

  /** Ends the call for what it has answered, whatever status comes with that. */
  protected refuse(code: number, details: string): void {
    this.#refusal ??= { code, details, trailers: [] };
    this.call!.cancel(code, details);
  }

  /** The caller is not interested any more. */
  protected leave(): void {
    this.#outgoing?.stop();
    this.call?.cancel(GrpcStatus.CANCELLED, "Cancelled on client");
  }

  protected abstract begun(call: OngoingCall): void;
  protected abstract answered(answer: A, bytes: number): void;
  /** Called at least once, without an error if the status was OK. */
  protected abstract ended(error: Error | undefined): void;

  protected error(code: number, details: string, trailers: EndStatus["trailers"] = []): GrpcCallError {
    return errorOf({ code, details, trailers }, this.#site);
  }

  #errorOf(status: EndStatus): Error | undefined {
    if (status.code === GrpcStatus.OK) return undefined;
    if (this.#inputFailure === undefined) return errorOf(status, this.#site);
    const { cause } = this.#inputFailure;
    const details = `the caller's input failed: ${thrownText(cause)}`;
    return errorOf({ ...status, details, cause: cause as Error }, this.#site);
  }

  #show(listener: ((metadata: Metadata) => void) | undefined, fields: HeaderList): void {
    if (listener === undefined) return;
    try {
      listener(Metadata.ofFields(fields));
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #serialized(message: Q): Buffer {
    try {
      return this.method.requestSerialize(message);
    } catch (error) {
      const details = `Request message serialization failure: ${(error as Error).message}`;
      throw this.error(GrpcStatus.INTERNAL, details);
    }
  }

  /** Writes what the caller gives; the input's failure ends the call. */
  #feed(call: OngoingCall, source: Messages<Q>): void {
    const writing = {
      write: (message: unknown) => call.send(message as Buffer),
      on: (_: "drain", listener: () => void) => {
        this.#onDrain = listener;
      },
    };
    let unfit: unknown;
    this.#outgoing = writeMessages(writing, source, (message) => {
      try {
        return this.#serialized(message);
      } catch (error) {
        unfit = error;
        throw error;
      }
    });
    this.#outgoing.done.then(
      (all) => {
        if (all) call.halfClose();
      },
      (cause: unknown) => {
        if (cause === unfit) {
          this.fail(cause as Error);
          return;
        }
        this.#inputFailure = { cause };
        call.cancel(GrpcStatus.CANCELLED, "Cancelled on client");
      },
    );
  }
}
