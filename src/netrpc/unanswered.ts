import { startTimer } from "../wait.js";
import type { PendingCall } from "./pending-call.js";

/** A call that has had no answer for a long time. */
export interface UnansweredCall {
  /** `Plugin.Greet`. */
  readonly serviceMethod: string;
  /** Its argument, where that is short. */
  readonly argument: string | undefined;
}

/** Who is told of calls without an answer. */
export interface UnansweredOptions {
  /** Milliseconds without an answer; it may take half as long again until it is noticed. Infinity: never. */
  readonly after: number;
  /** Called once for each method. */
  readonly tell: (call: UnansweredCall) => void;
}

/**
 * Watches a client's calls at no cost to any of them: a timer runs while calls are under way, and what was sent two of
 * its rounds ago has waited long enough.
 */
export class UnansweredWatch {
  readonly #pending: ReadonlyMap<number, PendingCall>;
  readonly #options: UnansweredOptions;
  readonly #told = new Set<string>();
  #isRunning = false;
  #stopTimer: (() => void) | undefined;
  /** Where the numbers of calls stood one round ago, and two. */
  #lastRound = 0;
  #roundBefore = 0;

  /** @param pending the calls by their numbers, in the order in which they were sent */
  constructor(pending: ReadonlyMap<number, PendingCall>, options: UnansweredOptions) {
    this.#pending = pending;
    this.#options = options;
  }

  /** To be called after each call is sent. @param nextSeq the number of the next one */
  sent(nextSeq: number): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#roundBefore = nextSeq - 1;
    this.#lastRound = nextSeq;
    this.#wait();
  }

  /** To be called when the client is over: a timer would hold it in memory. */
  stop(): void {
    this.#stopTimer?.();
  }

  #wait(): void {
    this.#stopTimer = startTimer(this.#options.after / 2, () => this.#look(), false);
  }

  #look(): void {
    let last = this.#lastRound;
    for (const [seq, call] of this.#pending) {
      if (seq < this.#roundBefore) this.#tell(call);
      last = seq + 1;
    }
    this.#roundBefore = this.#lastRound;
    this.#lastRound = last;
    if (this.#pending.size === 0) this.#isRunning = false;
    else this.#wait();
  }

  #tell({ serviceMethod, arg }: PendingCall): void {
    if (this.#told.has(serviceMethod)) return;
    this.#told.add(serviceMethod);
    this.#options.tell({
      serviceMethod,
      argument: arg === undefined ? undefined : String(JSON.stringify(arg, shown)),
    });
  }
}

function shown(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** The part of an argument that is worth keeping for a message, once it is sent. */
export function keptArgument(arg: unknown): unknown {
  if (typeof arg === "object" && arg !== null) return undefined;
  return typeof arg === "string" && arg.length > 100 ? undefined : arg;
}
