import { BrokerError } from "../broker/errors.js";
import type { ConnInfo } from "./gen/plugin/grpc_broker.js";

/** What a broker says to the other side; a message without `knock` announces a socket. */
export type BrokerMessage = Partial<ConnInfo> & Pick<ConnInfo, "serviceId">;

/** The call that carries the messages, as its caller or its server sees it. */
export interface BrokerCall {
  on(event: "data", listener: (message: ConnInfo) => void): unknown;
  on(event: "end" | "close" | "error", listener: () => void): unknown;
  write(message: ConnInfo): unknown;
  end(): unknown;
}

interface Waiting {
  readonly message: ConnInfo;
  isWanted(): boolean;
  resolve(sent: boolean): void;
  reject(error: Error): void;
}

/**
 * The broker's stream of messages, whichever side opened the call that carries it. What is sent before there is a
 * call waits for it, as in go-plugin.
 */
export class BrokerStream {
  /** Gets what the other side says. */
  onMessage: (message: ConnInfo) => void = () => {};
  #call: BrokerCall | undefined;
  #waiting: Waiting[] = [];
  #closed: BrokerError | undefined;

  /** Takes a call over; one that was there before gets no more messages. */
  attach(call: BrokerCall): void {
    if (this.#closed !== undefined) {
      call.on("error", () => {});
      call.end();
      return;
    }
    this.#call = call;
    call.on("data", (message: ConnInfo) => this.onMessage(message));
    const gone = (): void => {
      if (this.#call === call) this.#call = undefined;
    };
    call.on("end", gone);
    call.on("close", gone);
    call.on("error", gone);
    for (const { message, isWanted, resolve } of this.#waiting.splice(0)) {
      const wanted = isWanted();
      if (wanted) call.write(message);
      resolve(wanted);
    }
  }

  /**
   * Resolves true when the message has gone, false where it had to wait and was not wanted any more. Rejects with
   * "broker closed" when the stream ends before.
   */
  send(message: BrokerMessage, isWanted: () => boolean = () => true): Promise<boolean> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const whole: ConnInfo = { network: "", address: "", knock: undefined, ...message };
    if (this.#call !== undefined) {
      this.#call.write(whole);
      return Promise.resolve(true);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message: whole, isWanted, resolve, reject });
    });
  }

  close(cause?: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = new BrokerError("ERR_BROKER_CLOSED", "broker closed", { cause });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closed);
    this.#call?.end();
    this.#call = undefined;
  }
}
