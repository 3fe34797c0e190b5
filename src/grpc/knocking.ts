import { BrokerError } from "../broker/errors.js";
import type { Logger } from "../hclog/logger.js";
import { timeLimit } from "../options.js";
import { startTimer, type WaitOptions, waitFor } from "../wait.js";
import type { Channel } from "../yamux/index.js";
import type { BrokerStream } from "./broker-stream.js";
import type { ConnInfo } from "./gen/plugin/grpc_broker.js";
import type { Muxer, OnConnection } from "./muxer.js";

export interface KnockingOptions {
  readonly stream: BrokerStream;
  /** @throws Error while there is no connection */
  readonly muxer: () => Muxer;
  readonly logger: Logger;
  /** Milliseconds that an ack is waited for by default, and that a knock waits for who accepts its id. */
  readonly timeout: number;
}

/** Ids with knocks that nobody accepts; more are dropped, so that a peer cannot fill the memory. */
const MAX_KNOCKS = 10_000;

/**
 * Brokered connections as streams of a multiplexed one (grpc_broker.go: knock, listenForKnocks). The side that dials
 * sends a knock with the id, the side that accepts answers with an ack, and gives the next stream to that id. As the
 * next stream is all that an ack can promise, one dial at a time knocks and opens its stream.
 */
export class Knocking {
  readonly #options: KnockingOptions;
  readonly #ended = new AbortController();
  /** Settles when the next dial may knock; never rejects. */
  #turn: Promise<void> = Promise.resolve();
  /** The knock whose ack is waited for. */
  #current: Knock | undefined;
  /** Knocks that came before somebody accepted their id. */
  readonly #early = new Map<number, () => void>();
  /** Knocks are dropped, and it has been said. */
  #isFull = false;

  constructor(options: KnockingOptions) {
    this.#options = options;
  }

  /**
   * Knocks for an id and opens the stream that the other side then expects. A `timeout` is for all of it, the wait
   * for the dials before this one included; the default is for the ack alone.
   *
   * @throws BrokerError ERR_BROKER_TIMEOUT, ERR_BROKER_KNOCK, ERR_BROKER_CLOSED; AbortedError
   */
  dial(id: number, { signal, timeout }: WaitOptions): Promise<Channel> {
    const late = (): BrokerError =>
      new BrokerError("ERR_BROKER_TIMEOUT", `timeout waiting for multiplexing knock handshake on id ${id}`);
    const limits = { what: "the brokered connection", signal, timeout, late, ended: this.#ended.signal };
    return waitFor<Channel>(limits, (resolve, reject) => {
      const knock = new Knock(id, late);
      const dialled = this.#turn.then(() => this.#dialInTurn(knock, timeout));
      dialled.then((stream) => stream !== undefined && resolve(stream), reject);
      this.#turn = dialled.then(ignore, ignore);
      return (cut) => {
        if (cut !== undefined) knock.callOff(this.#options.timeout);
      };
    });
  }

  /** Gives the streams that are knocked for to `onConnection`, until {@link unlisten}. */
  listen(id: number, onConnection: OnConnection): void {
    this.#options.muxer().listen(id, onConnection);
    const forget = this.#early.get(id);
    if (forget === undefined) return;
    forget();
    this.#ack(id);
  }

  unlisten(id: number): void {
    this.#options.muxer().unlisten(id);
  }

  /** Takes a message of the other side; false if it has nothing to do with knocks. */
  receive(message: ConnInfo): boolean {
    const { serviceId: id, knock } = message;
    if (knock?.knock === true && !knock.ack) {
      // A stream that came before the knock may not have been taken yet, and would be taken for the knock's.
      setImmediate(() => this.#knocked(id));
      return true;
    }
    if (this.#current?.id === id) {
      this.#current.answer(message);
      return true;
    }
    // An ack that comes after its dial has given up.
    return knock !== undefined;
  }

  close(error: Error): void {
    this.#ended.abort(error);
    this.#current?.fail(error);
    for (const forget of this.#early.values()) forget();
  }

  /** Undefined where the dial was called off: the caller has its error. */
  async #dialInTurn(knock: Knock, timeout: number | undefined): Promise<Channel | undefined> {
    const { stream, muxer } = this.#options;
    const { id } = knock;
    if (knock.isCalledOff) return undefined;
    this.#current = knock;
    try {
      const message = { serviceId: id, knock: { knock: true, ack: false, error: "" } };
      if (!(await stream.send(message, () => !knock.isCalledOff))) return undefined;
      checkAck(id, await knock.acked(timeLimit("timeout", timeout, this.#options.timeout)));
    } finally {
      this.#current = undefined;
    }
    const opened = await muxer().open();
    if (!knock.isCalledOff) return opened;
    // The other side has said yes, and would take the next dial's stream for this one.
    opened.attach({ onData: ignore, onEnd: ignore, onClose: ignore });
    opened.end();
    return undefined;
  }

  #knocked(id: number): void {
    const { muxer, timeout, logger } = this.#options;
    if (this.#ended.signal.aborted) return;
    if (muxer().isListening(id)) {
      this.#ack(id);
      return;
    }
    this.#early.get(id)?.();
    if (this.#early.size >= MAX_KNOCKS) {
      if (!this.#isFull) logger.warn("dropping a broker's knocks: too many wait already", { id });
      this.#isFull = true;
      return;
    }
    this.#isFull = false;
    const forget = (): void => {
      stop();
      this.#early.delete(id);
    };
    const stop = startTimer(timeout, forget, false);
    this.#early.set(id, forget);
  }

  #ack(id: number): void {
    const { muxer, stream } = this.#options;
    muxer().expect(id);
    stream.send({ serviceId: id, knock: { knock: true, ack: true, error: "" } }).catch(ignore);
  }
}

/** One dial's knock, from its turn to its ack. */
class Knock {
  readonly id: number;
  readonly #late: () => Error;
  readonly #answered: Promise<ConnInfo>;
  answer!: (message: ConnInfo) => void;
  fail!: (error: Error) => void;
  #stopTimer: (() => void) | undefined;
  /** The dial is over for its caller, who must not be knocked for any more. */
  isCalledOff = false;

  constructor(id: number, late: () => Error) {
    this.id = id;
    this.#late = late;
    this.#answered = new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
    });
    // It may fail while nobody waits for it yet.
    this.#answered.catch(ignore);
  }

  /** Waits for the other side's answer, for a number of milliseconds. */
  async acked(timeout: number): Promise<ConnInfo> {
    this.#limit(timeout);
    try {
      return await this.#answered;
    } finally {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    }
  }

  /** A knock that is out may be answered yet: it is waited for, but no longer than `timeout`. */
  callOff(timeout: number): void {
    this.isCalledOff = true;
    if (this.#stopTimer !== undefined) this.#limit(timeout);
  }

  #limit(timeout: number): void {
    this.#stopTimer?.();
    this.#stopTimer = startTimer(timeout, () => this.fail(this.#late()));
  }
}

/** @throws BrokerError ERR_BROKER_KNOCK */
function checkAck(id: number, { knock }: ConnInfo): void {
  if (knock === undefined || !knock.knock || !knock.ack) {
    throw new BrokerError(
      "ERR_BROKER_KNOCK",
      `handshake failed for multiplexing on id ${id}; expected knock and ack, but got ${JSON.stringify(knock)}`,
    );
  }
  if (knock.error !== "") {
    throw new BrokerError("ERR_BROKER_KNOCK", `failed to knock for id ${id}: ${knock.error}`);
  }
}

function ignore(): void {}
