import { MAX_WINDOW } from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { Outgoing, Waiting } from "./outgoing.js";

/** What a sender tells its stream. */
export interface SenderEvents {
  readonly id: number;
  /** The end has gone out. */
  onSent(): void;
  /** The end cannot go out: its header fields are more than the peer takes. */
  onTooLarge(): void;
  /** More may be written, after `write` has returned false. */
  onRoom(): void;
}

/** `held` until the stream has a number, `sent` once the end has gone out, `closed` when nothing goes out any more. */
type SenderState = "held" | "open" | "sent" | "closed";

const NOTHING: Uint8Array[] = [];
const EMPTY = Buffer.alloc(0);

/** What one stream sends: its body, as far as the windows and the connection let it, and the end behind it. */
export class Sender implements Waiting {
  readonly #stream: SenderEvents;
  readonly #out: Outgoing;
  #state: SenderState = "held";
  #window = 0;
  /** What could not go out yet. */
  #outbox = NOTHING;
  #wasCutShort = false;
  /** What ends this direction once the outbox is empty: trailers, or none. */
  #ending: HeaderList | "plain" | undefined;
  /** `write` has returned false. */
  #owesRoom = false;
  /** It is among those that wait for the connection. */
  #waits = false;

  constructor(stream: SenderEvents, out: Outgoing) {
    this.#stream = stream;
    this.#out = out;
  }

  /** Whether bytes were given to `write` that have not been queued yet, or were not when the stream ended. */
  get isBlocked(): boolean {
    return this.#outbox.length > 0 || this.#wasCutShort;
  }

  /** The stream has its number: what was written before goes out. @param window what the peer takes of it at first */
  open(window: number): void {
    this.#state = "open";
    this.#window = window;
    if (this.#outbox.length > 0) this.room(Infinity);
    else if (this.#ending !== undefined) this.#sendEnd();
    else if (this.#owesRoom) this.room(0);
  }

  /** Header fields in front of the body; with `end` they are all. Nothing happens once this direction is over. */
  headers(list: HeaderList, end: boolean): void {
    if (this.#state !== "open") return;
    if (!this.#out.headers(this.#stream.id, list, end)) this.#stream.onTooLarge();
    else if (end) this.#sent();
  }

  /** See {@link Stream.write}. */
  write(chunk: Uint8Array, lead: Uint8Array | undefined): boolean {
    if (this.#ending !== undefined || this.#state === "sent" || this.#state === "closed") return true;
    const out = this.#out;
    const length = chunk.length + (lead === undefined ? 0 : lead.length);
    if (
      this.#outbox.length === 0 &&
      length <= this.#window &&
      this.#state === "open" &&
      out.mayCarry(length)
    ) {
      this.#window -= length;
      out.data(this.#stream.id, false, lead, chunk, length);
      if (!out.writer.congested) return true;
    } else {
      const sent = lead === undefined ? 0 : this.#sendLead(lead, chunk);
      if (sent < chunk.length) this.#queue(sent === 0 ? chunk : chunk.subarray(sent));
      this.#pump(Infinity);
      if (this.#outbox.length === 0 && !out.writer.congested) return true;
    }
    this.#owesRoom = true;
    if (this.#outbox.length === 0) this.#awaitRoom();
    return false;
  }

  /** See {@link Stream.end}. */
  end(trailers: HeaderList | undefined): void {
    if (this.#ending !== undefined || this.#state === "sent" || this.#state === "closed") return;
    this.#ending = trailers ?? "plain";
    if (this.#outbox.length === 0 && this.#state === "open") this.#sendEnd();
  }

  /** The peer's window grows, or shrinks by a change of its settings: even below 0. False on an overflow. */
  addWindow(delta: number): boolean {
    if (this.#window + delta > MAX_WINDOW) return false;
    this.#window += delta;
    if (delta > 0 && this.#outbox.length > 0) this.room(Infinity);
    return true;
  }

  room(limit: number): void {
    this.#waits = false;
    if (this.#state === "closed") return;
    this.#pump(limit);
    if (!this.#owesRoom || this.#outbox.length > 0) return;
    if (this.#out.writer.congested) {
      this.#awaitRoom();
      return;
    }
    this.#owesRoom = false;
    this.#stream.onRoom();
  }

  /** Nothing goes out any more. */
  close(): void {
    this.#state = "closed";
    this.#wasCutShort = this.#outbox.length > 0;
    this.#outbox = NOTHING;
    if (this.#waits) this.#out.forget(this);
  }

  #queue(chunk: Uint8Array): void {
    if (this.#outbox.length === 0) this.#outbox = [chunk];
    else this.#outbox.push(chunk);
  }

  /** Sends the lead with as much of the chunk as goes into its frame, and returns how much; or queues it. */
  #sendLead(lead: Uint8Array, chunk: Uint8Array): number {
    const out = this.#out;
    const room = Math.min(this.#window, out.window, out.maxFrame) - lead.length;
    if (this.#outbox.length > 0 || room < 0 || this.#state === "held" || out.writer.congested) {
      this.#queue(lead.slice());
      return 0;
    }
    const sent = Math.min(room, chunk.length);
    this.#window -= lead.length + sent;
    out.data(this.#stream.id, false, lead, chunk.subarray(0, sent), lead.length + sent);
    return sent;
  }

  #pump(limit: number): void {
    if (this.#state === "held") return;
    const { id } = this.#stream;
    const out = this.#out;
    const outbox = this.#outbox;
    let sent = 0;
    let left = limit;
    while (sent < outbox.length && this.#window > 0) {
      if (left <= 0 || out.window <= 0 || out.writer.congested) {
        this.#awaitRoom();
        break;
      }
      const chunk = outbox[sent]!;
      const most = Math.min(chunk.length, this.#window, out.window, out.maxFrame);
      this.#window -= most;
      left -= most;
      if (most === chunk.length) {
        sent++;
        // The last piece carries the end.
        const end = sent === outbox.length && this.#ending === "plain";
        out.data(id, end, undefined, chunk, most);
        if (end) {
          this.#outbox = NOTHING;
          this.#sent();
          return;
        }
      } else {
        out.data(id, false, undefined, chunk.subarray(0, most), most);
        outbox[sent] = chunk.subarray(most);
      }
    }
    if (sent === outbox.length) {
      this.#outbox = NOTHING;
      if (sent > 0 && this.#ending !== undefined) this.#sendEnd();
    } else if (sent > 0) outbox.splice(0, sent);
  }

  #awaitRoom(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#out.awaitRoom(this);
  }

  #sendEnd(): void {
    const { id } = this.#stream;
    if (this.#ending !== "plain") {
      if (!this.#out.headers(id, this.#ending!, true)) {
        this.#stream.onTooLarge();
        return;
      }
    } else if (!this.#out.writer.endLast(id)) this.#out.data(id, true, undefined, EMPTY, 0);
    this.#sent();
  }

  #sent(): void {
    this.#state = "sent";
    this.#stream.onSent();
  }
}
