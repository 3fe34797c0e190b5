import type { Readable, Writable } from "node:stream";
import timers from "node:timers";
import type { Logger } from "../hclog/logger.js";
import { logStderrLine, StderrClassifier } from "../hclog/parse-line.js";
import { type LinePiece, LineSplitter } from "../process/line-splitter.js";
import { copyOutput, type OutputCopy } from "../process/output-copy.js";
import { ended } from "../process/read-out.js";
import { Tail } from "../process/tail.js";

/** Milliseconds of work on one plugin's lines after which everybody else has a turn: a chunk may hold 65,536 lines. */
const TURN_MS = 10;
/** Bytes of stderr that are kept for error messages. */
const TAIL_SIZE = 65_536;

export interface StderrLogOptions {
  /** Takes the plugin's lines, at their own levels. */
  readonly lines: Logger;
  /** Takes what is to be said about the copy. */
  readonly logger: Logger;
  /** Takes a raw copy. */
  readonly copy: Writable | undefined;
  /** Longest line that is logged whole, in bytes. */
  readonly bufferSize: number;
}

/**
 * Reads a plugin's stderr: logs its lines, keeps its end for error messages, and copies it. While the plugin lives it
 * waits for a copy that is slow (Go writes to it in the same loop); once it has ended, log and tail do not.
 */
export class StderrLog {
  readonly #stderr: Readable;
  readonly #options: StderrLogOptions;
  readonly #tail = new Tail(TAIL_SIZE);
  readonly #classifier = new StderrClassifier();
  readonly #lines: LineSplitter;
  #copy: OutputCopy | undefined;
  /** The next piece goes on with a line. */
  #isContinued = false;
  #waitsForCopy = true;
  /** Why the stream is paused. */
  readonly #holds = new Set<"copy" | "turn">();
  /** When this turn of the event loop began to read, or undefined between turns. */
  #turnBegan: number | undefined;

  constructor(stderr: Readable, options: StderrLogOptions) {
    this.#stderr = stderr;
    this.#options = options;
    this.#lines = new LineSplitter(options.bufferSize);
    if (options.copy !== undefined) {
      this.#copy = copyOutput({
        writer: options.copy,
        from: "stderr",
        option: "stderr",
        logger: options.logger,
        onReady: () => this.#letGo("copy"),
      });
    }
    stderr.on("data", (chunk: Buffer) => this.#read(chunk));
    void ended(stderr).then(() => this.#end());
  }

  /** The end of what was read, as text: up to 64 KiB. */
  get tail(): string {
    return this.#tail.toString();
  }

  /** The plugin has ended: what is left in the pipe is read without waiting for the copy. */
  release(): void {
    this.#waitsForCopy = false;
    this.#letGo("copy");
  }

  #read(chunk: Buffer): void {
    const began = this.#beginTurn();
    this.#tail.push(chunk);
    if (this.#copy?.write(chunk) === false && this.#waitsForCopy) this.#hold("copy");
    this.#log(this.#lines.push(chunk));
    if (performance.now() - began > TURN_MS) this.#hold("turn");
  }

  #beginTurn(): number {
    if (this.#turnBegan === undefined) {
      this.#turnBegan = performance.now();
      timers.setImmediate(() => {
        this.#turnBegan = undefined;
        this.#letGo("turn");
      });
    }
    return this.#turnBegan;
  }

  #hold(reason: "copy" | "turn"): void {
    this.#holds.add(reason);
    this.#stderr.pause();
  }

  #letGo(reason: "copy" | "turn"): void {
    if (this.#holds.delete(reason) && this.#holds.size === 0) this.#stderr.resume();
  }

  #end(): void {
    this.#log(this.#lines.end());
    this.#copy?.end();
  }

  #log(pieces: Iterable<LinePiece>): void {
    for (const { bytes, isPrefix } of pieces) {
      const line = this.#classifier.classify(bytes.toString("utf8"), isPrefix || this.#isContinued);
      this.#isContinued = isPrefix;
      logStderrLine(this.#options.lines, line);
    }
  }
}
