import { OutputQueue } from "./output-queue.js";

/** The part of process.stdout that is taken over. */
export interface Capturable {
  write: NodeJS.WriteStream["write"];
  end: NodeJS.WriteStream["end"];
  emit(event: "drain"): boolean;
}

/** Settings of {@link CapturedStream}. */
export interface CaptureOptions {
  /** Output goes where it went before, too (test mode). Default false. */
  readonly tee?: boolean;
}

type Callback = (error?: Error | null) => void;

/**
 * Takes over the writing methods of process.stdout or process.stderr and puts what is written in a queue. Everything
 * that holds the stream object follows: console, pipes into it, worker threads. What writes to the file descriptor
 * itself does not: fs.writeSync(1), native code, children that inherit it.
 */
export class CapturedStream {
  readonly queue: OutputQueue;
  readonly #target: Capturable;
  readonly #originals: Pick<Capturable, "write" | "end">;
  readonly #tee: boolean;
  #restored = false;

  constructor(target: Capturable, options: CaptureOptions = {}) {
    this.#target = target;
    this.#tee = options.tee ?? false;
    this.#originals = { write: target.write, end: target.end };
    this.queue = new OutputQueue(() => target.emit("drain"));
    target.write = this.#write;
    target.end = this.#end as Capturable["end"];
  }

  /** Gives the stream back. What is still in the queue stays there, for the caller to divert. */
  restore(): void {
    if (this.#restored) return;
    this.#restored = true;
    // Someone who took over after us would be undone; leave them, their calls still end in ours and go through.
    if (this.#target.write === this.#write) this.#target.write = this.#originals.write;
    if (this.#target.end === this.#end) this.#target.end = this.#originals.end;
  }

  readonly #write = (
    chunk: string | Uint8Array,
    encodingOrCallback?: BufferEncoding | Callback,
    callback?: Callback,
  ): boolean => {
    const encoding = typeof encodingOrCallback === "string" ? encodingOrCallback : undefined;
    const done = typeof encodingOrCallback === "function" ? encodingOrCallback : callback;
    if (this.#restored) return this.#originals.write.call(this.#target, chunk, encoding, done);
    if (this.#tee) this.#originals.write.call(this.#target, chunk, encoding);
    // Buffer.from throws TypeError for what is neither text nor bytes, as the stream would.
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
    return this.queue.write(bytes, done);
  };

  /** The process's stdout never ends before the process; Node's own cannot be closed either. */
  readonly #end = (
    chunkOrCallback?: string | Uint8Array | Callback,
    encodingOrCallback?: BufferEncoding | Callback,
    callback?: Callback,
  ): Capturable => {
    const done = [chunkOrCallback, encodingOrCallback, callback].find((value) => typeof value === "function");
    if (chunkOrCallback === undefined || typeof chunkOrCallback === "function") {
      if (done !== undefined) process.nextTick(done);
    } else {
      const encoding = typeof encodingOrCallback === "string" ? encodingOrCallback : undefined;
      this.#write(chunkOrCallback, encoding, done);
    }
    return this.#target;
  };
}
