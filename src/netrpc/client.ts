import type { Duplex } from "node:stream";
import { areCallsTraced, type CallObserver } from "../diagnostics.js";
import type { CallTrace } from "../diagnostics-contexts.js";
import type { AnySchema, Input, Output } from "../gob/index.js";
import { checkOptions } from "../options.js";
import { AnswerReader } from "./answer-reader.js";
import { CallWriter } from "./call-writer.js";
import { CancelNotices } from "./cancel.js";
import { asByteChannel, type ByteChannel } from "./channel.js";
import { type CodecOptions, gobOptions } from "./codec-options.js";
import { DefinedMethods } from "./defined-methods.js";
import { BadReplyError, ConnectionLostError, ShutdownError } from "./errors.js";
import { MethodProofs } from "./method-proofs.js";
import { OwnCalls } from "./own-calls.js";
import { type CallOptions, PendingCall } from "./pending-call.js";
import { tracedCall } from "./traced-call.js";
import { type UnansweredOptions, UnansweredWatch } from "./unanswered.js";

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
  | { name: "losing" }
  | { name: "shutdown"; error: Error };

/**
 * A net/rpc client over one connection (Go: net/rpc/client.go). Calls run concurrently and answers may come in any
 * order. A reply that does not fit its schema, and an argument that cannot be encoded, fail their call alone: the stream
 * stands at the next message. (Go's client shuts down at the first, and is out of step after the second.)
 */
export class RpcClient {
  readonly #channel: ByteChannel;
  readonly #writer: CallWriter;
  readonly #reader: AnswerReader;
  readonly #onLost: RpcClientOptions["onLost"];
  readonly #observer: CallObserver | undefined;
  readonly #pending = new Map<number, PendingCall>();
  /** Calls not yet encoded, because the channel asked the writer to wait. */
  readonly #waiting = new Set<PendingCall>();
  readonly #closed: Promise<void>;
  readonly #unanswered: UnansweredWatch | undefined;
  readonly #defined = new DefinedMethods();
  readonly #ownCalls = new OwnCalls((call) => this.#submit(call));
  readonly #cancels = new CancelNotices(this.#ownCalls);
  readonly #proofs = new MethodProofs(this.#ownCalls, {
    isOver: () => this.#state.name === "shutdown",
    submit: (call) => this.#submit(call),
    refusal: (text, serviceMethod) => this.#defined.refusal(text, serviceMethod),
  });
  #announceClosed!: () => void;
  #state: State = { name: "open" };

  constructor(connection: ByteChannel | Duplex, options: RpcClientOptions = {}) {
    checkOptions(options);
    const codec = gobOptions(options);
    this.#onLost = options.onLost;
    this.#observer = options.observer;
    const { unanswered } = options;
    if (unanswered !== undefined) this.#unanswered = new UnansweredWatch(this.#pending, unanswered);
    this.#closed = new Promise((resolve) => {
      this.#announceClosed = resolve;
    });
    this.#channel = asByteChannel(connection);
    this.#writer = new CallWriter(this.#channel, codec, (error) => this.#lose(error));
    this.#reader = new AnswerReader(codec, {
      find: (seq) => this.#pending.get(seq),
      settled: (seq) => this.#pending.delete(seq),
      refusal: (text, serviceMethod) => this.#defined.refusal(text, serviceMethod),
      failed: (cause) => this.#fail(cause),
    });
    this.#channel.attach({
      onData: (chunk, mayKeep) => this.#reader.read(chunk, mayKeep === true),
      room: () => this.#reader.room(),
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
    return this.#pending.size + this.#waiting.size + this.#proofs.waiting - this.#ownCalls.count;
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
    return tracedCall(this.#observer, serviceMethod, (trace) =>
      this.#begin(serviceMethod, argSchema, arg, replySchema, options, trace),
    );
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
    this.#defined.add(service, methods);
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
    if (this.#state.name === "open") this.#cancels.send(call.seq);
  }

  #submit(call: PendingCall): void {
    switch (this.#state.name) {
      case "open":
        if (this.#writer.isBlocked) this.#waiting.add(call);
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
    const sent = this.#writer.send(call, this.#proofs.has(call.serviceMethod));
    if (sent === "unproven") this.#proofs.hold(call);
    if (sent !== "sent") return;
    this.#pending.set(call.seq, call);
    this.#unanswered?.sent(this.#writer.count);
    this.#writer.schedule();
  }

  #drain(): void {
    this.#writer.drained();
    for (const call of this.#waiting) {
      if (this.#writer.isBlocked || this.#state.name !== "open") return;
      this.#waiting.delete(call);
      this.#send(call);
    }
  }

  /** A stream that no longer makes sense: the connection is given up with it. */
  #fail(cause: unknown): void {
    this.#beginLoss(new BadReplyError("", cause));
    this.#channel.destroy();
  }

  #lose(cause: Error | undefined): void {
    if (this.#state.name !== "open") return;
    const lost = new ConnectionLostError(cause);
    // The peer ended in the middle of an answer: Go's error for it tells nothing that onLost does not know better.
    if (cause === undefined && this.#onLost === undefined) this.#reader.end();
    this.#beginLoss(lost);
    this.#channel.destroy();
  }

  #beginLoss(error: ConnectionLostError | BadReplyError): void {
    const onLost = this.#onLost;
    if (onLost === undefined) {
      this.#settle(error);
      return;
    }
    const told = onLost(error);
    this.#become({ name: "losing" });
    told.then(
      (reason) => this.#settle(reason),
      () => this.#settle(error),
    );
  }

  /** Ends what goes on while the client is open. */
  #become(state: State): void {
    this.#state = state;
    this.#writer.stop();
    this.#reader.stop();
  }

  #settle(error: Error): void {
    this.#become({ name: "shutdown", error });
    this.#unanswered?.stop();
    const calls = [...this.#pending.values(), ...this.#waiting];
    this.#pending.clear();
    this.#waiting.clear();
    for (const call of calls) call.fail(error);
  }
}
