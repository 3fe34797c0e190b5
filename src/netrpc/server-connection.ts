import { type AnySchema, Decoder, Encoder, emptyStruct, GobError, NEED_MORE } from "../gob/index.js";
import type { ByteChannel } from "./channel.js";
import { request, response } from "./messages.js";
import type { CallContext } from "./methods.js";
import type { Method, RpcServerOptions } from "./server-options.js";

interface Answer {
  serviceMethod: string;
  seq: number;
  error: string;
  schema: AnySchema;
  reply: unknown;
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
  readonly #maxOutstanding: number;
  readonly #gone = new AbortController();
  /** Answers not yet encoded, because the channel asked the writer to wait. */
  readonly #waiting: Answer[] = [];
  #state: State = "serving";
  #header: { ServiceMethod: string; Seq: number } | undefined;
  #running = 0;
  #blocked = false;
  #paused = false;
  #inputEnded = false;
  #flushScheduled = false;
  #linger: NodeJS.Timeout | undefined;
  #resolve!: () => void;

  constructor(find: FindMethod, channel: ByteChannel, options: RpcServerOptions) {
    const gobOptions = options.registry === undefined ? {} : { registry: options.registry };
    this.#find = find;
    this.#channel = channel;
    this.#encoder = new Encoder(gobOptions);
    this.#decoder = new Decoder(gobOptions);
    this.#logger = options.logger;
    this.#maxOutstanding = options.maxOutstandingCalls ?? 4096;
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
        onEnd: () => {
          this.#inputEnded = true;
          this.#finishInput();
        },
        onClose: (error) => this.#onClose(error),
        onDrain: () => this.#onDrain(),
      });
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
    while (this.#state === "serving" && !this.#paused && this.#readOne());
    this.#decoder.settle();
  }

  /** Takes one header or argument out of the decoder; false when its bytes are not all there. */
  #readOne(): boolean {
    const header = this.#header;
    if (header === undefined) {
      try {
        const next = this.#decoder.decode(request);
        if (next === NEED_MORE) return false;
        this.#header = next;
        return true;
      } catch (error) {
        this.#logger?.warn("rpc: server cannot decode request", { error });
        this.#state = "draining";
        this.#closeIfIdle();
        return false;
      }
    }
    const method = this.#find(header.ServiceMethod);
    if (typeof method === "string") {
      if (this.#skip() === NEED_MORE) return false;
      this.#header = undefined;
      this.#answerError(header, method);
      return true;
    }
    let arg: unknown;
    try {
      arg = this.#decoder.decode(method.arg);
    } catch (error) {
      this.#header = undefined;
      this.#answerError(header, textOf(error));
      return true;
    }
    if (arg === NEED_MORE) return false;
    this.#header = undefined;
    this.#run(header, method, arg);
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

  #run(header: { ServiceMethod: string; Seq: number }, method: Method, arg: unknown): void {
    const { ServiceMethod: serviceMethod, Seq: seq } = header;
    const context: CallContext = { serviceMethod, signal: this.#gone.signal };
    this.#begin();
    const done = (reply: unknown): void =>
      this.#answer({ serviceMethod, seq, error: "", schema: method.reply, reply });
    const failed = (error: unknown): void => this.#answer(errorAnswer(serviceMethod, seq, textOf(error)));
    try {
      const result = method.handle(arg, context);
      if (isThenable(result)) result.then(done, failed);
      else done(result);
    } catch (error) {
      failed(error);
    }
  }

  #answerError(header: { ServiceMethod: string; Seq: number }, text: string): void {
    this.#begin();
    this.#answer(errorAnswer(header.ServiceMethod, header.Seq, text));
  }

  #begin(): void {
    if (++this.#running >= this.#maxOutstanding && !this.#paused) {
      this.#paused = true;
      this.#channel.pause();
    }
  }

  #answer(answer: Answer): void {
    if (this.#state === "closed") return;
    if (this.#blocked) {
      this.#waiting.push(answer);
      return;
    }
    this.#send(answer);
  }

  #send(answer: Answer): void {
    const checkpoint = this.#encoder.checkpoint();
    const { serviceMethod, seq, error } = answer;
    try {
      this.#encoder.encode(response, { ServiceMethod: serviceMethod, Seq: seq, Error: error });
      this.#encoder.encode(answer.schema, answer.reply as never);
    } catch (reason) {
      // Go ends the connection here; the caller gets the reason instead, and the other calls go on.
      this.#encoder.rollback(checkpoint);
      this.#logger?.warn("rpc: reply does not fit its schema", { method: serviceMethod, error: reason });
      this.#send(errorAnswer(serviceMethod, seq, textOf(reason)));
      return;
    }
    this.#running--;
    if (this.#encoder.pending >= flushAt) this.#flush();
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(() => {
        this.#flushScheduled = false;
        this.#flush();
        this.#closeIfIdle();
        this.#resumeIfRoom();
      });
    }
  }

  #flush(): void {
    if (this.#encoder.pending === 0 || this.#state === "closed") return;
    try {
      if (!this.#channel.write(this.#encoder.take())) this.#blocked = true;
    } catch (error) {
      // The connection is over, and could not say so yet because this side has stopped reading.
      this.#channel.destroy(error as Error);
    }
  }

  #resumeIfRoom(): void {
    if (!this.#paused || this.#running > this.#maxOutstanding / 2) return;
    this.#paused = false;
    this.#readAll();
    if (this.#paused) return;
    this.#channel.resume();
    this.#finishInput();
  }

  #onDrain(): void {
    this.#blocked = false;
    while (!this.#blocked && this.#waiting.length > 0) this.#send(this.#waiting.shift()!);
    this.#closeIfIdle();
    this.#resumeIfRoom();
  }

  /** The peer has half-closed: what it had sent before is still served. */
  #finishInput(): void {
    if (!this.#inputEnded || this.#paused || this.#state !== "serving") return;
    // The peer ended in the middle of an argument: Go answers that call too.
    const header = this.#header;
    this.#header = undefined;
    if (header !== undefined) this.#answerError(header, "unexpected EOF");
    if (!this.#paused) this.#drainAndClose();
  }

  #drainAndClose(): void {
    if (this.#state !== "serving") return;
    this.#state = "draining";
    if (this.#paused) this.#channel.resume();
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#state !== "draining" || this.#running > 0) return;
    this.#flush();
    this.#state = "closed";
    this.#channel.end();
    // A peer that keeps its half open may still read what was written; then its time is over.
    this.#linger = setTimeout(() => this.#channel.destroy(), lingerMs).unref();
  }

  #onClose(error: Error | undefined): void {
    if (error !== undefined && this.#state !== "closed") {
      this.#logger?.warn("rpc: connection lost", { error });
    }
    this.#state = "closed";
    clearTimeout(this.#linger);
    this.#waiting.length = 0;
    this.#gone.abort(error);
    this.#resolve();
  }
}

/** Bytes of encoded answers that are written at once instead of at the end of the turn: bounds what piles up. */
const flushAt = 65_536;

const lingerMs = 10_000;

function errorAnswer(serviceMethod: string, seq: number, error: string): Answer {
  return { serviceMethod, seq, error, schema: emptyStruct, reply: {} };
}

/** An empty text would be success on the wire, so an error without one gets its class's name. */
function textOf(error: unknown): string {
  // Peers in Go know gob's own words; the path and offset behind them are for this side's log.
  if (error instanceof GobError) return error.goText;
  try {
    if (error instanceof Error) return String(error.message || error.name) || "error";
    return String(error) || "error";
  } catch {
    // Objects without a prototype, and those whose toString throws.
    return "error";
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
