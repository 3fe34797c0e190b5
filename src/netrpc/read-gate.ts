/** What a connection does before it lets others have their turn: a thousand small calls, or one large one. */
const TURN_BYTES = 262_144;

/** What a gate asks of its connection. */
export interface ReadGateEvents {
  pause(): void;
  /** What had been received before the pause may be taken now; the gate may close meanwhile. */
  readOn(): void;
  resume(): void;
  /** No more is read until calls are answered, more than one; told once. */
  full(calls: number, bytes: number): void;
}

/** Decides whether more calls are read: not while too much is unanswered, and not before others have had their turn. */
export class ReadGate {
  readonly #limit: number;
  readonly #events: ReadGateEvents;
  /** Calls that are not answered, and what they cost. */
  #calls = 0;
  #callBytes = 0;
  /** Bytes given to the channel since it asked the writer to wait; undefined while it does not. */
  #backlog: number | undefined;
  #isClosed = false;
  #isStopped = false;
  #isFull = false;
  #givesWay = false;
  /** What was done since others last had their turn. */
  #done = 0;
  #isTold = false;

  /** @param limit bytes that may be unanswered */
  constructor(limit: number, events: ReadGateEvents) {
    this.#limit = limit;
    this.#events = events;
  }

  /** Whether reading has stopped. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Calls that are not answered. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether the channel has asked the writer to wait. */
  get isCongested(): boolean {
    return this.#backlog !== undefined;
  }

  get #unanswered(): number {
    return this.#callBytes + (this.#backlog ?? 0);
  }

  begin(cost: number): void {
    this.worked(cost);
    this.#calls++;
    this.#callBytes += cost;
    this.#closeIfFull();
  }

  answered(cost: number): void {
    this.#calls--;
    this.#callBytes -= cost;
  }

  /** A peer that sends calls without end must not keep this process from its other connections. */
  worked(bytes: number): void {
    this.#done += bytes;
    if (this.#done < TURN_BYTES || this.#givesWay || this.#isStopped) return;
    this.#givesWay = true;
    this.#close();
    setImmediate(() => {
      this.#done = 0;
      this.#givesWay = false;
      this.openIfRoom();
    });
  }

  /** The channel was given bytes; `isTaken` unless it asks to wait. */
  wrote(bytes: number, isTaken: boolean): void {
    if (!isTaken) this.#backlog ??= 0;
    if (this.#backlog === undefined) return;
    this.#backlog += bytes;
    this.#closeIfFull();
  }

  /** The channel takes nothing any more. */
  stalled(): void {
    this.#backlog ??= 0;
  }

  /** The channel need not be waited for any more. */
  drained(): void {
    this.#backlog = undefined;
  }

  /** Nothing more is to be read: the channel is not held back any longer. */
  stop(): void {
    this.#isStopped = true;
    if (this.#isClosed) this.#events.resume();
  }

  /** Opens again, if that may be; what was received before is read first. */
  openIfRoom(): void {
    if (this.#unanswered <= this.#limit / 2) this.#isFull = false;
    if (!this.#isClosed || this.#isFull || this.#givesWay) return;
    this.#isClosed = false;
    this.#events.readOn();
    if (!this.isClosed) this.#events.resume();
  }

  #closeIfFull(): void {
    if (this.#isFull || this.#isStopped || this.#unanswered < this.#limit) return;
    this.#isFull = true;
    this.#close();
    // A single large call keeps back nobody who would have to be told.
    if (this.#isTold || this.#calls < 2) return;
    this.#isTold = true;
    this.#events.full(this.#calls, this.#unanswered);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.pause();
  }
}
