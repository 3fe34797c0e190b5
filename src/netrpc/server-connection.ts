import { thrownText } from "../errors.js";
import { type AnySchema, Decoder, Encoder, emptyStruct, GobError, NEED_MORE } from "../gob/index.js";
import { shareSignal, startTimer } from "../wait.js";
import { CANCEL_METHOD, cancelArg } from "./cancel.js";
import type { ByteChannel } from "./channel.js";
import { gobOptions } from "./codec-options.js";
import { CallCancelledError } from "./errors.js";
import { errorBytes, request, response } from "./messages.js";
import { ReadGate } from "./read-gate.js";
import { RunningCall } from "./running-call.js";
import { type Method, type RpcServerOptions, unansweredLimit } from "./server-options.js";

/** A call from its header on to its answer. */
interface Call {
  readonly serviceMethod: string;
  readonly seq: number;
  /** What it counts while it is unanswered, in bytes. */
  cost: number;
}

type State =
  /** Requests are read. */
  | "serving"
  /** The peer half-closed or a stop was asked for: no more requests, running calls are still answered. */
  | "draining"
  | "closed";

/** Finds a method, or says with Go's exact text why there is none. */
export type FindMethod = (serviceMethod: string) => Method | string;

/** One connection of an RpcServer. */
export class ServerConnection {
  readonly #find: FindMethod;
  readonly #channel: ByteChannel;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #logger: RpcServerOptions["logger"];
  readonly #gate: ReadGate;
  readonly #gone = new AbortController();
  /** Calls whose handlers have not settled, by their number. */
  readonly #runningCalls = new Map<number, RunningCall>();
  #state: State = "serving";
  /** The call whose argument is still to come, and where its header began. */
  #incoming: Call | undefined;
  #incomingFrom = 0;
  #inputEnded = false;
  #flushScheduled = false;
  #stopLinger: (() => void) | undefined;
  #resolve!: () => void;

  constructor(find: FindMethod, channel: ByteChannel, options: RpcServerOptions) {
    const codec = gobOptions(options);
    this.#find = find;
    this.#channel = channel;
    this.#encoder = new Encoder(codec);
    this.#decoder = new Decoder(codec);
    this.#logger = options.logger;
    const limit = unansweredLimit(options);
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
        room: () => this.#decoder.room(),
        onEnd: () => {
          this.#inputEnded = true;
          this.#finishInput();
        },
        onClose: (error) => this.#onClose(error),
        onDrain: () => this.#onDrain(),
      });
      shareSignal(signal);
      if (signal?.aborted) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    });
  }

  #read(chunk: Buffer, mayKeep: boolean): void {
    if (this.#state !== "serving") return;
    this.#decoder.push(chunk, !mayKeep);
    this.#readAll();
  }

  #readAll(): void {
    while (this.#state === "serving" && !this.#gate.isClosed && this.#readOne());
    this.#decoder.settle();
  }

  /** Takes one header or argument out of the decoder; false when its bytes are not all there. */
  #readOne(): boolean {
    const call = this.#incoming;
    if (call === undefined) {
      this.#incomingFrom = this.#decoder.consumed;
      try {
        const next = this.#decoder.decode(request);
        if (next === NEED_MORE) return false;
        this.#incoming = { serviceMethod: next.ServiceMethod, seq: next.Seq, cost: 0 };
        return true;
      } catch (error) {
        this.#logger?.warn("rpc: server cannot decode request", { error });
        this.#state = "draining";
        this.#gate.stop();
        this.#closeIfIdle();
        return false;
      }
    }
    const method = this.#find(call.serviceMethod);
    if (typeof method === "string") {
      if (call.serviceMethod === CANCEL_METHOD) return this.#cancel(call);
      if (this.#skip() === NEED_MORE) return false;
      this.#begin(call);
      this.#answerError(call, method);
      return true;
    }
    let arg: unknown;
    try {
      arg = this.#decoder.decode(method.arg);
    } catch (error) {
      this.#begin(call);
      this.#answerError(call, textOf(error));
      return true;
    }
    if (arg === NEED_MORE) return false;
    this.#begin(call);
    this.#run(call, method, arg);
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

  #run(call: Call, method: Method, arg: unknown): void {
    const running = new RunningCall(call.serviceMethod, this.#gone.signal);
    const done = (reply: unknown): void => {
      this.#runningCalls.delete(call.seq);
      this.#answer(call, "", method.reply, reply);
    };
    const failed = (error: unknown): void => {
      this.#runningCalls.delete(call.seq);
      this.#answerError(call, textOf(error));
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

  /** The caller has given a call up; that may have been answered meanwhile. False when not all bytes are there. */
  #cancel(call: Call): boolean {
    let seq: number | typeof NEED_MORE;
    try {
      seq = this.#decoder.decode(cancelArg);
    } catch (error) {
      this.#begin(call);
      this.#answerError(call, textOf(error));
      return true;
    }
    if (seq === NEED_MORE) return false;
    this.#begin(call);
    const running = this.#runningCalls.get(seq);
    running?.abort(new CallCancelledError(running.serviceMethod));
    this.#answer(call, "", emptyStruct, {});
    return true;
  }

  /** From here on the call counts: it has been read whole, or as far as it came. */
  #begin(call: Call): void {
    this.#incoming = undefined;
    call.cost = CALL_COST + this.#decoder.consumed - this.#incomingFrom;
    this.#gate.begin(call.cost);
  }

  /** @param text not empty: that would be success on the wire */
  #answerError(call: Call, text: string): void {
    this.#answer(call, text, emptyStruct, {});
  }

  #answer(call: Call, error: string, schema: AnySchema, reply: unknown): void {
    if (this.#state === "closed") return;
    const { serviceMethod, seq } = call;
    const checkpoint = this.#encoder.checkpoint();
    try {
      const header = { ServiceMethod: serviceMethod, Seq: seq, Error: error === "" ? "" : errorBytes(error) };
      this.#encoder.encode(response, header);
      this.#encoder.encode(schema, reply as never);
    } catch (reason) {
      // Go ends the connection here; the caller gets the reason instead, and the other calls go on.
      this.#encoder.rollback(checkpoint);
      this.#logger?.warn("rpc: reply does not fit its schema", { method: serviceMethod, error: reason });
      this.#answerError(call, textOf(reason));
      return;
    }
    this.#gate.answered(call.cost);
    if (this.#encoder.pending >= FLUSH_AT) this.#flush();
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(() => {
        this.#flushScheduled = false;
        this.#flush();
        this.#closeIfIdle();
        this.#gate.openIfRoom();
      });
    }
  }

  #flush(): void {
    if (this.#encoder.pending === 0 || this.#state === "closed") return;
    const bytes = this.#encoder.take();
    this.#gate.worked(bytes.length);
    let isTaken: boolean;
    try {
      isTaken = this.#channel.write(bytes, () => this.#encoder.giveBack(bytes));
    } catch (error) {
      // The connection is over, and could not say so yet because this side has stopped reading. These bytes are lost.
      this.#gate.stalled();
      this.#channel.destroy(error as Error);
      return;
    }
    this.#gate.wrote(bytes.length, isTaken);
  }

  #onDrain(): void {
    this.#gate.drained();
    this.#closeIfIdle();
    this.#gate.openIfRoom();
  }

  /** The peer has half-closed: what it had sent before is still served. */
  #finishInput(): void {
    if (!this.#inputEnded || this.#gate.isClosed || this.#state !== "serving") return;
    // The peer ended in the middle of an argument: Go answers that call too.
    const call = this.#incoming;
    if (call !== undefined) {
      this.#begin(call);
      this.#answerError(call, "unexpected EOF");
    }
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
    this.#flush();
    this.#state = "closed";
    this.#channel.end();
    // A peer that keeps its half open may still read what was written; then its time is over.
    this.#stopLinger = startTimer(LINGER_MS, () => this.#channel.destroy(), false);
  }

  #onClose(error: Error | undefined): void {
    // A peer that hangs up while nothing is under way has not lost anything.
    const isBusy = this.#gate.calls > 0 || this.#incoming !== undefined || this.#gate.isCongested;
    if (error !== undefined && this.#state !== "closed" && isBusy) {
      this.#logger?.warn("rpc: connection lost", { calls: this.#gate.calls, error });
    }
    this.#state = "closed";
    this.#stopLinger?.();
    for (const running of this.#runningCalls.values()) running.abort(error);
    this.#runningCalls.clear();
    this.#gone.abort(error);
    this.#resolve();
  }
}

/** Bytes of encoded answers that are written at once instead of at the end of the turn: bounds what piles up. */
const FLUSH_AT = 65_536;

/** What a call counts beside its bytes: an object or two, a promise, and what the handler holds. */
const CALL_COST = 256;

const LINGER_MS = 10_000;

/** An empty text would be success on the wire, so an error without one gets its class's name. */
function textOf(error: unknown): string {
  // Peers in Go know gob's own words; the path and offset behind them are for this side's log.
  if (error instanceof GobError) return error.goText;
  return thrownText(error);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
