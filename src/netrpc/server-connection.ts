import { emptyStruct } from "../gob/index.js";
import { shareSignal, startTimer } from "../wait.js";
import { AnswerWriter } from "./answer-writer.js";
import type { ByteChannel } from "./channel.js";
import { gobOptions } from "./codec-options.js";
import { CallCancelledError } from "./errors.js";
import { answerText } from "./messages.js";
import { ReadGate } from "./read-gate.js";
import { type FindMethod, type IncomingCall, RequestReader } from "./request-reader.js";
import { RunningCall } from "./running-call.js";
import { type Method, type RpcServerOptions, unansweredLimit } from "./server-options.js";

type State =
  /** Requests are read. */
  | "serving"
  /** The peer half-closed or a stop was asked for: no more requests, running calls are still answered. */
  | "draining"
  | "closed";

const LINGER_MS = 10_000;

/** One connection of an RpcServer. */
export class ServerConnection {
  readonly #channel: ByteChannel;
  readonly #reader: RequestReader;
  readonly #writer: AnswerWriter;
  readonly #logger: RpcServerOptions["logger"];
  readonly #gate: ReadGate;
  readonly #gone = new AbortController();
  /** Calls whose handlers have not settled, by their number. */
  readonly #runningCalls = new Map<number, RunningCall>();
  #state: State = "serving";
  #inputEnded = false;
  #stopLinger: (() => void) | undefined;
  #resolve!: () => void;

  constructor(find: FindMethod, channel: ByteChannel, options: RpcServerOptions) {
    const codec = gobOptions(options);
    const limit = unansweredLimit(options);
    this.#channel = channel;
    this.#logger = options.logger;
    this.#gate = new ReadGate(limit, {
      pause: () => channel.pause(),
      readOn: () => this.#readAll(),
      resume: () => {
        channel.resume();
        this.#finishInput();
      },
      full: (calls, bytes) => {
        const sizes = { calls, bytes, maxUnansweredBytes: limit };
        this.#logger?.warn(
          "rpc: no more calls are read until some are answered: maxUnansweredBytes is reached",
          sizes,
        );
      },
    });
    this.#reader = new RequestReader(codec, find, {
      onCall: (call, method, arg) => this.#run(call, method, arg),
      onBadCall: (call, error) => {
        this.#gate.begin(call.cost);
        this.#writer.answerError(call, error);
      },
      onCancel: (call, seq) => this.#cancel(call, seq),
      onFailed: (error) => {
        this.#logger?.warn("rpc: server cannot decode request", { error });
        this.#drainAndClose();
      },
    });
    this.#writer = new AnswerWriter(channel, codec, this.#gate, this.#logger, {
      onWritten: () => this.#closeOrReadOn(),
    });
  }

  run(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const stop = (): void => this.#drainAndClose();
      this.#resolve = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      this.#channel.attach({
        onData: (chunk, mayKeep) => this.#read(chunk, mayKeep === true),
        room: () => this.#reader.room(),
        onEnd: () => {
          this.#inputEnded = true;
          this.#finishInput();
        },
        onClose: (error) => this.#onClose(error),
        onDrain: () => {
          this.#gate.drained();
          this.#closeOrReadOn();
        },
      });
      shareSignal(signal);
      if (signal?.aborted) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    });
  }

  #read(chunk: Buffer, mayKeep: boolean): void {
    if (this.#state !== "serving") return;
    this.#reader.push(chunk, mayKeep);
    this.#readAll();
  }

  #readAll(): void {
    while (this.#state === "serving" && !this.#gate.isClosed && this.#reader.readOne());
    this.#reader.settle();
  }

  #run(call: IncomingCall, method: Method, arg: unknown): void {
    this.#gate.begin(call.cost);
    const running = new RunningCall(call.serviceMethod, this.#gone.signal);
    const done = (reply: unknown): void => {
      this.#runningCalls.delete(call.seq);
      this.#writer.answer(call, method.reply, reply);
    };
    const failed = (error: unknown): void => {
      this.#runningCalls.delete(call.seq);
      this.#writer.answerError(call, answerText(error));
    };
    try {
      const result = method.handle(arg, running);
      if (isThenable(result)) {
        this.#runningCalls.set(call.seq, running);
        result.then(done, failed);
      } else {
        done(result);
      }
    } catch (error) {
      failed(error);
    }
  }

  #cancel(call: IncomingCall, seq: number): void {
    this.#gate.begin(call.cost);
    const running = this.#runningCalls.get(seq);
    running?.abort(new CallCancelledError(running.serviceMethod));
    this.#writer.answer(call, emptyStruct, {});
  }

  #closeOrReadOn(): void {
    this.#closeIfIdle();
    this.#gate.openIfRoom();
  }

  /** The peer has half-closed: what it had sent before is still served. */
  #finishInput(): void {
    if (!this.#inputEnded || this.#gate.isClosed || this.#state !== "serving") return;
    this.#reader.end();
    if (!this.#gate.isClosed) this.#drainAndClose();
  }

  #drainAndClose(): void {
    if (this.#state !== "serving") return;
    this.#state = "draining";
    this.#gate.stop();
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#state !== "draining" || this.#gate.calls > 0 || this.#gate.isCongested) return;
    this.#writer.flush();
    this.#stop();
    this.#channel.end();
    // A peer that keeps its half open may still read what was written; then its time is over.
    this.#stopLinger = startTimer(LINGER_MS, () => this.#channel.destroy(), false);
  }

  #onClose(error: Error | undefined): void {
    // A peer that hangs up while nothing is under way has not lost anything.
    const isBusy = this.#gate.calls > 0 || this.#reader.isAmidCall || this.#gate.isCongested;
    if (error !== undefined && this.#state !== "closed" && isBusy) {
      this.#logger?.warn("rpc: connection lost", { calls: this.#gate.calls, error });
    }
    this.#stop();
    this.#stopLinger?.();
    for (const running of this.#runningCalls.values()) running.abort(error);
    this.#runningCalls.clear();
    this.#gone.abort(error);
    this.#resolve();
  }

  /** Nothing is sent any more. */
  #stop(): void {
    this.#state = "closed";
    this.#writer.stop();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
