import { MessageReader, type MessageSink } from "./message-reader.js";

/** Where an {@link Inbox} delivers. */
export interface InboxOwner {
  onMessage(message: Buffer): void;
  /** The end, behind all messages, when it was asked for like one of them. */
  onLast?(): void;
  /** So many bytes of the body no longer hold memory: the peer may send as many more. */
  consumed(bytes: number): void;
}

/**
 * The messages that a call has received, delivered one at a time as they are asked for. A message that nobody has asked
 * for keeps the stream's window shut; an unfinished one does not, or it could never be longer than the window.
 */
export class Inbox implements MessageSink {
  readonly #owner: InboxOwner;
  readonly #reader: MessageReader;
  #queue: Buffer[] | undefined;
  #wanted: number;
  /** Bytes that have come and have not been given back. */
  #held = 0;
  #ended = false;
  #closed = false;

  /**
   * @param limit bytes of a message
   * @param wanted messages that were asked for already
   */
  constructor(limit: number, owner: InboxOwner, wanted = 0) {
    this.#wanted = wanted;
    this.#owner = owner;
    this.#reader = new MessageReader(limit, this);
  }

  /** What compressed messages are compressed with, as the header fields said. */
  set encoding(encoding: string | undefined) {
    this.#reader.encoding = encoding;
  }

  /** Whether the body so far ends between two messages. */
  get atBoundary(): boolean {
    return this.#reader.atBoundary;
  }

  /** Takes a piece of the body. @throws MessageError */
  push(chunk: Buffer, mayKeep: boolean): void {
    if (this.#closed) return;
    this.#held += chunk.length;
    this.#reader.push(chunk, mayKeep);
    this.#giveBack();
  }

  /** The body has ended. */
  end(): void {
    this.#ended = true;
    this.#tellEnd();
  }

  /** Asks for one more message, or the end. */
  read(): void {
    this.#wanted++;
    const message = this.#queue?.shift();
    if (message === undefined) {
      this.#tellEnd();
      return;
    }
    this.#wanted--;
    this.#giveBack();
    this.#owner.onMessage(message);
  }

  /** Delivers what is there, asked for or not. */
  flush(): void {
    const queue = this.#queue;
    this.close();
    if (queue !== undefined) for (const message of queue) this.#owner.onMessage(message);
  }

  /** Delivers no more. */
  close(): void {
    this.#closed = true;
    this.#queue = undefined;
  }

  /** @internal From the reader. */
  message(message: Buffer): void {
    if (this.#closed) return;
    if (this.#wanted > 0) {
      this.#wanted--;
      this.#owner.onMessage(message);
    } else if (this.#queue === undefined) this.#queue = [message];
    else this.#queue.push(message);
  }

  #giveBack(): void {
    if (this.#held === 0 || (this.#queue !== undefined && this.#queue.length > 0)) return;
    const held = this.#held;
    this.#held = 0;
    this.#owner.consumed(held);
  }

  #tellEnd(): void {
    if (!this.#ended || this.#closed || this.#wanted === 0) return;
    if (this.#queue !== undefined && this.#queue.length > 0) return;
    this.#closed = true;
    this.#owner.onLast?.();
  }
}
