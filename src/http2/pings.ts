import { putU32, readU32 } from "./frame.js";

/** PINGs that the peer has not answered yet. */
export class Pings {
  readonly #send: (payload: Buffer) => void;
  readonly #told = new Map<number, () => void>();
  #count = 0;

  constructor(send: (payload: Buffer) => void) {
    this.#send = send;
  }

  /** How many they are. */
  get size(): number {
    return this.#told.size;
  }

  /** Sends one. @param told called back when it is answered, or the connection has ended */
  ping(told: () => void): void {
    const payload = Buffer.alloc(8);
    this.#count = (this.#count + 1) >>> 0;
    putU32(payload, 4, this.#count);
    this.#told.set(this.#count, told);
    this.#send(payload);
  }

  /** An answer has come; one to nothing is ignored. */
  pong(payload: Buffer): void {
    const number = readU32(payload, 4);
    const told = this.#told.get(number);
    this.#told.delete(number);
    told?.();
  }

  /** No answer will come any more. */
  end(): void {
    for (const told of this.#told.values()) told();
    this.#told.clear();
  }
}
