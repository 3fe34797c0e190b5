import { writeSync } from "node:fs";
import { isFull, RETRY_MS, sleepSync } from "./write-sync.js";

/** Milliseconds without a byte taken after which a reader is taken for one that does not read. */
const STALL_MS = 2000;

/** What a writer asks of the system. */
export interface LineWriterSystem {
  /** As `fs.writeSync`. */
  write(bytes: Uint8Array): number;
  /** Blocks the thread. */
  sleep(milliseconds: number): void;
  now(): number;
}

/**
 * Writes lines to a descriptor as Go programs write to theirs: when `write` returns, the pipe has the line, so that the last one
 * before an end is not lost. Node's streams keep what a full pipe does not take, and lose it with the process.
 *
 * A pipe that is full blocks the thread for as long as its reader takes something. When nothing is taken for two seconds lines are
 * dropped until there is room again; a line then says how many.
 */
export class LineWriter {
  readonly #system: LineWriterSystem;
  readonly #lostLine: (lines: number) => string;
  /** The rest of a line that the reader has the beginning of. */
  #rest: Uint8Array | undefined;
  #isStalled = false;
  #lost = 0;

  /** @param lostLine what is written, newline included, when lines were lost */
  constructor(system: LineWriterSystem, lostLine: (lines: number) => string) {
    this.#system = system;
    this.#lostLine = lostLine;
  }

  write(line: string): void {
    const isFree = this.#finishRest() && this.#tellLost() && this.#rest === undefined;
    if (!isFree || !this.#put(Buffer.from(line), true)) this.#lost++;
  }

  #finishRest(): boolean {
    const rest = this.#rest;
    if (rest === undefined) return true;
    this.#rest = undefined;
    return this.#put(rest, false);
  }

  #tellLost(): boolean {
    if (this.#lost === 0) return true;
    if (!this.#put(Buffer.from(this.#lostLine(this.#lost)), true)) return false;
    this.#lost = 0;
    return true;
  }

  /** False if nothing was taken of a whole line, or the rest is still to be written. */
  #put(bytes: Uint8Array, isWhole: boolean): boolean {
    let at = 0;
    let since = this.#system.now();
    while (at < bytes.length) {
      try {
        at += this.#system.write(bytes.subarray(at));
        since = this.#system.now();
        this.#isStalled = false;
      } catch (error) {
        if (!isFull(error) || this.#isStalled || this.#system.now() - since >= STALL_MS) {
          this.#isStalled = true;
          if (at === 0 && isWhole) return false;
          this.#rest = bytes.subarray(at);
          return isWhole;
        }
        this.#system.sleep(RETRY_MS);
      }
    }
    return true;
  }
}

/** The system's side of a descriptor. */
export function descriptor(fd: number): LineWriterSystem {
  return {
    write: (bytes) => writeSync(fd, bytes),
    sleep: sleepSync,
    now: () => performance.now(),
  };
}
