import type { Duplex } from "node:stream";
import { areCallsTraced, type CallObserver, ObservedCall } from "../diagnostics.js";
import type { CallTrace } from "../diagnostics-contexts.js";
import {
  type AnySchema,
  Decoder,
  Encoder,
  emptyStruct,
  type Input,
  NEED_MORE,
  type Output,
} from "../gob/index.js";
import { checkOptions } from "../options.js";
import { cancelArg, cancelMethod } from "./cancel.js";
import { asByteChannel, type ByteChannel } from "./channel.js";
import { type CodecOptions, gobOptions } from "./codec-options.js";
import { BadReplyError, ConnectionLostError, RemoteError, ShutdownError } from "./errors.js";
import { errorText, receivedResponse, request } from "./messages.js";
import { isMissing, MethodProofs, proofArg } from "./method-proofs.js";
import { nearMisses } from "./near-misses.js";
import { type CallOptions, PendingCall } from "./pending-call.js";
import { keptArgument, type UnansweredOptions, UnansweredWatch } from "./unanswered.js";

export interface RpcClientOptions extends CodecOptions {
  /** Counts the calls, and names the plugin in traces of them. */
  observer?: CallObserver | undefined;
  /**
   * Turns the loss of the connection into the error that pending and later calls get; go-plugin hosts say here what
   * became of the plugin's process. Called once.
   */
  onLost?: ((error: ConnectionLostError | BadReplyError) => Promise<Error>) | undefined;
  /** Told of calls that have had no answer for a long time; default: nobody. */
  unanswered?: UnansweredOptions | undefined;
}

type State =
  | { name: "open" }
  /** The connection is gone and `onLost` is being asked why; pending calls wait for its answer. */
  | { name: "losing"; done: Promise<void> }
  | { name: "shutdown"; error: Error };

/**
 * A net/rpc client over one connection (Go: net/rpc/client.go). Calls run concurrently and answers may come in any
 * order. A reply that does not fit its schema, and an argument that cannot be encoded, fail their call alone: the stream
 * stands at the next message. (Go's client shuts down at the first, and is out of step after the second.)
 */
export class RpcClient {
  readonly #channel: ByteChannel;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #onLost: RpcClientOptions["onLost"];
  readonly #observer: CallObserver | undefined;
  readonly #pending = new Map<number, PendingCall>();
  /** Calls not yet encoded, because the channel asked the writer to wait. */
  readonly #waiting = new Set<PendingCall>();
  readonly #closed: Promise<void>;
  readonly #unanswered: UnansweredWatch | undefined;
  #announceClosed!: () => void;
  #state: State = { name: "open" };
  #seq = 0;
  /** Whether abandoned calls are told of; until the peer says that it knows nothing of that. */
  #peerCancels = true;
  readonly #proofs = new MethodProofs();
  /** The methods that this client is known to be used for. */
  readonly #defined = new Set<string>();
  /** Calls under way that this client made of its own accord. */
  #ownCalls = 0;
  #blocked = false;
  #flushScheduled = false;
  /** The response header whose body is still to come. */
  #header: { Seq: number; error: string } | undefined;
  /** Where the answer that is being read began in the stream. */
  #answerFrom = 0;

  constructor(connection: ByteChannel | Duplex, options: RpcClientOptions = {}) {
    checkOptions(options);
    const codec = gobOptions(options);
    this.#encoder = new Encoder(codec);
    this.#decoder = new Decoder(codec);
    this.#onLost = options.onLost;
    this.#observer = options.observer;
    const { unanswered } = options;
    if (unanswered !== undefined) this.#unanswered = new UnansweredWatch(this.#pending, unanswered);
    this.#closed = new Promise((resolve) => {
      this.#announceClosed = resolve;
    });
    this.#channel = asByteChannel(connection);
    this.#channel.attach({
      onData: (chunk, mayKeep) => this.#read(chunk, mayKeep === true),
      room: () => this.#decoder.room(),
      onEnd: () => this.#lose(undefined),
      onClose: (error) => {
        this.#lose(error);
        this.#announceClosed();
      },
      onDrain: () => this.#drain(),
    });
  }

  /** Resolves when the connection below is gone, for whatever reason. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Calls whose answers have not come yet. */
  get pending(): number {
    return this.#pending.size + this.#waiting.size + this.#proofs.waiting - this.#ownCalls;
  }

  /**
   * Calls `Service.Method`.
   *
   * @throws RemoteError - the peer answered with an error; its text is the message
   * @throws ShutdownError - the client was closed, or had ended before the call
   * @throws ConnectionLostError - the connection ended before the answer (or what `onLost` made of it)
   * @throws BadReplyError - the reply does not fit `replySchema`, or the peer's bytes make no sense, which ends the client
   * @throws CallTimeoutError, AbortedError - the caller's own limits
   * @throws OptionError - an option of the call cannot be used
   * @throws GobError - the argument does not fit `argSchema`; the connection is untouched
   */
  call<A extends AnySchema, R extends AnySchema>(
    serviceMethod: string,
    argSchema: A,
    arg: Input<A>,
    replySchema: R,
    options?: CallOptions,
  ): Promise<Output<R>> {
    if (!areCallsTraced()) return this.#begin(serviceMethod, argSchema, arg, replySchema, options, undefined);
    const { plugin } = this.#observer ?? {};
    const observed = ObservedCall.traced(plugin, {
      protocol: "netrpc",
      method: serviceMethod,
      metadata: undefined,
    });
    const answer = observed.begin(() =>
      this.#begin(serviceMethod, argSchema, arg, replySchema, options, observed.trace),
    );
    answer.then(
      () => observed.succeed(),
      (error: unknown) => observed.fail(error),
    );
    return answer;
  }

  #begin<A extends AnySchema, R extends AnySchema>(
    serviceMethod: string,
    argSchema: A,
    arg: Input<A>,
    replySchema: R,
    options: CallOptions | undefined,
    trace: CallTrace | undefined,
  ): Promise<Output<R>> {
    return new Promise((resolve, reject) => {
      checkOptions(options);
      const call = new PendingCall(
        serviceMethod,
        argSchema,
        arg,
        replySchema,
        options?.into,
        this.#observer?.counters,
        resolve as (reply: unknown) => void,
        reject,
      );
      call.trace = trace;
      const isLimited = options?.signal !== undefined || options?.timeout !== undefined;
      if (isLimited && !call.limit(options, () => this.#abandon(call))) return;
      this.#submit(call);
    });
  }

  /** Says which methods the peer should have: who calls another one is told what may have been meant. */
  expect(service: string, methods: Iterable<string>): void {
    for (const name of methods) this.#defined.add(`${service}.${name}`);
  }

  /** Closes the connection. Pending calls fail with ShutdownError, as do later ones; a second close does nothing. */
  async close(): Promise<void> {
    if (this.#state.name === "open") {
      this.#settle(new ShutdownError());
      this.#channel.end();
    }
    this.#channel.destroy();
    await this.#closed;
  }

  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Forgets a call: unsent, it is never sent; sent, its answer will be that of an unknown Seq and skipped, and a peer
   * that can do something with it is told.
   */
  #abandon(call: PendingCall): void {
    if (this.#waiting.delete(call) || this.#proofs.abandon(call) || !this.#pending.delete(call.seq)) return;
    if (this.#peerCancels && this.#state.name === "open") this.#tellCancelled(call.seq);
  }

  #tellCancelled(seq: number): void {
    this.#callSelf(cancelMethod, cancelArg, seq, () => {
      // A peer that knows nothing of it, such as Go's: once is enough.
      this.#peerCancels = false;
    });
  }

  /** Finds out whether there is such a method, before the call is sent that a Go peer without it would never answer. */
  #prove(call: PendingCall): void {
    const { serviceMethod } = call;
    if (!this.#proofs.isFirst(call)) return;
    this.#callSelf(serviceMethod, proofArg, { re: 0, im: 0 }, (error) => {
      const calls = this.#proofs.take(serviceMethod);
      if (this.#state.name === "shutdown") for (const waiting of calls) waiting.fail(error);
      else if (error instanceof RemoteError && isMissing(error.message)) {
        for (const waiting of calls) waiting.fail(this.#refusal(error.message, serviceMethod));
      } else {
        this.#proofs.add(serviceMethod);
        for (const waiting of calls) this.#submit(waiting);
      }
    });
  }

  /** A call of this client's own accord, that nobody sees. It is meant to fail: with an answer that tells something. */
  #callSelf<A extends AnySchema>(
    serviceMethod: string,
    argSchema: A,
    arg: Input<A>,
    failed: (error: unknown) => void,
  ): void {
    this.#ownCalls++;
    const done = (): void => void this.#ownCalls--;
    const refused = (error: unknown): void => {
      this.#ownCalls--;
      failed(error);
    };
    this.#submit(
      new PendingCall(serviceMethod, argSchema, arg, emptyStruct, undefined, undefined, done, refused),
    );
  }

  #submit(call: PendingCall): void {
    switch (this.#state.name) {
      case "open":
        if (this.#blocked) this.#waiting.add(call);
        else this.#send(call);
        return;
      case "losing":
        this.#waiting.add(call);
        return;
      case "shutdown":
        call.fail(this.#lateError());
    }
  }

  /** What a call gets that comes after the end: Go's ErrShutdown, with the end's own error as its cause. */
  #lateError(): Error {
    const { error } = this.#state as { error: Error };
    if (error instanceof ShutdownError) return error;
    return new ShutdownError(error, this.#onLost === undefined ? undefined : error.message);
  }

  #send(call: PendingCall): void {
    const checkpoint = this.#encoder.checkpoint();
    const seq = this.#seq;
    const { nilInterfaces } = this.#encoder;
    try {
      this.#encoder.encode(request, { ServiceMethod: call.serviceMethod, Seq: seq });
      this.#encoder.encode(call.argSchema, call.arg as never);
    } catch (error) {
      // Go leaves the header behind here, and the stream out of step; nothing of a failed call may stay.
      this.#encoder.rollback(checkpoint);
      call.fail(error);
      return;
    }
    if (this.#encoder.nilInterfaces !== nilInterfaces && !this.#proofs.has(call.serviceMethod)) {
      this.#encoder.rollback(checkpoint);
      this.#prove(call);
      return;
    }
    call.requestBytes = this.#encoder.pending - checkpoint.pending;
    this.#seq = seq + 1;
    call.seq = seq;
    call.arg = keptArgument(call.arg);
    this.#pending.set(seq, call);
    this.#unanswered?.sent(this.#seq);
    if (this.#encoder.pending >= FLUSH_AT) this.#flush();
    else if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      // One write for all calls of this turn of the event loop: nextTick runs after the microtasks that make them.
      process.nextTick(() => {
        this.#flushScheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#encoder.pending === 0 || this.#state.name !== "open") return;
    try {
      const bytes = this.#encoder.take();
      if (!this.#channel.write(bytes, () => this.#encoder.giveBack(bytes))) this.#blocked = true;
    } catch (error) {
      this.#lose(error as Error);
    }
  }

  #drain(): void {
    this.#blocked = false;
    for (const call of this.#waiting) {
      if (this.#blocked || this.#state.name !== "open") return;
      this.#waiting.delete(call);
      this.#send(call);
    }
  }

  #read(chunk: Buffer, mayKeep: boolean): void {
    if (this.#state.name !== "open") return;
    this.#decoder.push(chunk, !mayKeep);
    while (this.#state.name === "open" && this.#readOne());
    if (this.#state.name === "open") this.#decoder.settle();
  }

  /** Takes one header or body out of the decoder; false when its bytes are not all there. */
  #readOne(): boolean {
    const header = this.#header;
    if (header === undefined) {
      try {
        this.#answerFrom = this.#decoder.consumed;
        const next = this.#decoder.decode(receivedResponse);
        if (next === NEED_MORE) return false;
        this.#header = { Seq: next.Seq, error: errorText(next.Error) };
        return true;
      } catch (error) {
        this.#fail(error);
        return false;
      }
    }
    const call = this.#pending.get(header.Seq);
    try {
      if (call === undefined || header.error !== "") {
        // The error's empty struct is skipped too: its type definition comes once and must be remembered.
        if (this.#decoder.skip() === NEED_MORE) return false;
        call?.fail(this.#refusal(header.error, call.serviceMethod));
      } else {
        const reply = this.#decoder.decode(call.replySchema, call.into as never);
        if (reply === NEED_MORE) return false;
        call.replyBytes = this.#decoder.consumed - this.#answerFrom;
        call.succeed(reply);
      }
    } catch (error) {
      // The next message follows. If the decoder has lost it, so says the next header.
      this.#failCall(header.Seq, error);
    }
    this.#pending.delete(header.Seq);
    this.#header = undefined;
    return true;
  }

  /** A stream that no longer makes sense: the connection is given up with it. */
  #fail(cause: unknown): void {
    this.#beginLoss(new BadReplyError("", cause));
    this.#channel.destroy();
  }

  /** The call whose answer could not be read; a call that the peer refused keeps the peer's error (as in Go). */
  #failCall(seq: number, cause: unknown): void {
    const call = this.#pending.get(seq);
    const refusal = this.#header!.error;
    this.#pending.delete(seq);
    call?.fail(
      refusal === ""
        ? new BadReplyError("reading body ", cause, call.serviceMethod)
        : this.#refusal(refusal, call.serviceMethod),
    );
  }

  #refusal(text: string, serviceMethod: string): RemoteError {
    const meant = isMissing(text) ? nearMisses(serviceMethod, this.#defined) : [];
    return new RemoteError(text, serviceMethod, meant);
  }

  #lose(cause: Error | undefined): void {
    if (this.#state.name !== "open") return;
    const lost = new ConnectionLostError(cause);
    // The peer ended in the middle of an answer: Go's error for it tells nothing that onLost does not know better.
    if (cause === undefined && this.#header !== undefined && this.#onLost === undefined) {
      this.#failCall(this.#header.Seq, "unexpected EOF");
    }
    this.#beginLoss(lost);
    this.#channel.destroy();
  }

  #beginLoss(error: ConnectionLostError | BadReplyError): void {
    const onLost = this.#onLost;
    if (onLost === undefined) {
      this.#settle(error);
      return;
    }
    const done = onLost(error).then(
      (told) => this.#settle(told),
      () => this.#settle(error),
    );
    this.#state = { name: "losing", done };
  }

  #settle(error: Error): void {
    this.#state = { name: "shutdown", error };
    this.#unanswered?.stop();
    const calls = [...this.#pending.values(), ...this.#waiting];
    this.#pending.clear();
    this.#waiting.clear();
    for (const call of calls) call.fail(error);
  }
}

/** Bytes of encoded calls that are written at once instead of at the end of the turn: bounds what piles up. */
const FLUSH_AT = 65_536;
