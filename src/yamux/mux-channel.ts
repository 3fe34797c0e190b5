import type { Duplex } from "node:stream";
import { ByteQueue } from "./byte-queue.js";
import type { Channel, StreamState } from "./channel.js";
import { YamuxError } from "./errors.js";
import { ACK, FIN, RST, SYN, WINDOW_UPDATE } from "./frame.js";
import { type KeepingHandler, mayKeepChunk } from "./keeping-handler.js";
import { Outbox, type OutboxSender } from "./outbox.js";
import { Windows } from "./windows.js";
import type { FrameWriter } from "./writer.js";

/** What a channel needs of its session. */
export interface ChannelHost {
  readonly writer: FrameWriter;
  readonly maxWindow: number;
  readonly growsWindows: boolean;
  /** The peer acknowledged the stream, or refused or ended it: its place in the backlog is free. */
  established(channel: MuxChannel): void;
  /** No longer waiting for the peer's acknowledgement: the open timer ends. */
  openSettled(channel: MuxChannel): void;
  /** This side has ended, the peer has not: the close timer starts. */
  lingering(channel: MuxChannel): void;
  /** Both directions are over. */
  release(channel: MuxChannel): void;
  /** The channel waits for the writer to be relieved. */
  awaitRelief(channel: MuxChannel): void;
  toDuplex(channel: MuxChannel): Duplex;
}

type Phase = "synSent" | "synReceived" | "established" | "closed" | "reset";
type WriteSide = "open" | "closing" | "ended";
/** `dropped`: after a reset, or a late destroy(): neither what the peer sent nor its end can be read any more. */
type ReadSide = "open" | "ended" | "dropped";
type Flow = "detached" | "paused" | "scheduled" | "flowing";

/** What frames and the application do to one stream. */
export class MuxChannel implements Channel, OutboxSender {
  readonly id: number;
  readonly #host: ChannelHost;
  #phase: Phase;
  #writeSide: WriteSide = "open";
  #readSide: ReadSide = "open";
  #flow: Flow = "detached";
  #handler: KeepingHandler | undefined;
  #endTold = false;
  #closeTold = false;
  #closeError: Error | undefined;
  // Why write() is refused once both directions are over.
  #refusal: YamuxError | undefined;
  #inbox: ByteQueue | undefined;
  #outbox: Outbox | undefined;
  readonly windows: Windows;
  #drainOwed = false;
  #draining = false;
  /** Bytes that the handler has taken but not consumed: they do not reopen the window (used by Stream). */
  held = 0;
  /** The writer's batch that holds this stream's latest frame. */
  lastBatch = 0;
  /** Whether the stream occupies a place in the backlog of opened, unacknowledged streams. */
  inBacklog = false;

  constructor(host: ChannelHost, id: number, phase: "synSent" | "synReceived") {
    this.#host = host;
    this.id = id;
    this.#phase = phase;
    this.windows = new Windows(host.maxWindow, host.growsWindows);
  }

  get state(): StreamState {
    if (this.#phase === "closed" || this.#phase === "reset") return this.#phase;
    if (this.#writeSide === "closing") return "closing";
    if (this.#writeSide === "ended") return "localClosed";
    return this.#readSide === "ended" ? "remoteClosed" : this.#phase;
  }

  /** Whether both directions are over. */
  get isOver(): boolean {
    return this.#phase === "closed" || this.#phase === "reset";
  }

  /** Bytes that have arrived and that the handler has not consumed. */
  get unread(): number {
    return (this.#inbox === undefined ? 0 : this.#inbox.length) + this.held;
  }

  get isBlocked(): boolean {
    return this.#outbox !== undefined && !this.#outbox.isEmpty;
  }

  // The application's side.

  attach(handler: KeepingHandler): void {
    this.#handler = handler;
    this.#endTold = false;
    this.#closeTold = false;
    this.held = 0;
    if ((this.#inbox?.length ?? 0) === 0 && this.#readSide === "open" && !this.isOver) {
      this.#flow = "flowing";
      return;
    }
    this.#flow = "scheduled";
    queueMicrotask(() => {
      if (this.#flow === "scheduled") this.resume();
      else this.#tell();
    });
  }

  unshift(chunk: Uint8Array): void {
    if (this.#phase === "reset") return;
    this.#inbox ??= new ByteQueue();
    this.#inbox.unshift(chunk);
    this.pause();
  }

  pause(): void {
    if (this.#flow !== "detached") this.#flow = "paused";
  }

  resume(): void {
    if (this.#handler === undefined || this.#flow === "flowing") return;
    this.#flow = "flowing";
    // Called from onData: the loop below, further up the stack, goes on.
    if (this.#draining) return;
    const inbox = this.#inbox;
    if (inbox !== undefined && inbox.length > 0) {
      this.#draining = true;
      while (this.#isFlowing()) {
        const chunk = inbox.shift();
        if (chunk === undefined) break;
        this.#deliver(chunk, true);
      }
      this.#draining = false;
      this.updateWindow();
    }
    this.#tell();
  }

  toDuplex(): Duplex {
    return this.#host.toDuplex(this);
  }

  /** @param free called once nothing refers to the chunk's memory any more, if that can be told */
  write(chunk: Uint8Array, free?: () => void): boolean {
    if (this.#writeSide !== "open" || this.isOver)
      throw this.#refusal ?? new YamuxError("ERR_YAMUX_STREAM_CLOSED");
    const writer = this.#host.writer;
    const length = chunk.length;
    if (length > 0) {
      if (length <= this.windows.send && !this.isBlocked) {
        this.transmit(chunk);
        if (free !== undefined) writer.whenFree(length, free);
      } else {
        this.#outbox ??= new Outbox();
        this.#outbox.add(chunk, free);
        this.#outbox.pump(this);
      }
    }
    if (this.isBlocked) {
      this.#drainOwed = true;
      return false;
    }
    if (writer.congested) {
      this.#drainOwed = true;
      this.#host.awaitRelief(this);
      return false;
    }
    return true;
  }

  end(): void {
    if (this.#writeSide !== "open" || this.isOver) return;
    this.#writeSide = "closing";
    // Go ends the wait for the acknowledgement here: it never acknowledges a stream that ended before Accept.
    if (this.#phase === "synSent") this.#host.openSettled(this);
    if (!this.isBlocked) this.#sendFin();
  }

  destroy(error?: Error): void {
    if (this.isOver) {
      // Over, but the handler has not taken everything: drop the rest.
      if (this.#closeTold) return;
      this.#inbox?.clear();
      this.#readSide = "dropped";
      this.#closeError ??= error;
      queueMicrotask(() => this.#tell());
      return;
    }
    this.#send(RST);
    this.#over("reset", error ?? new YamuxError("ERR_YAMUX_STREAM_CLOSED"), undefined);
    queueMicrotask(() => this.#tell());
  }

  // The outbox's side.

  transmit(bytes: Uint8Array): void {
    const { writer } = this.#host;
    this.windows.send -= bytes.length;
    this.lastBatch = writer.batch;
    writer.data(this.id, bytes);
  }

  whenFree(length: number, free: () => void): void {
    this.#host.writer.whenFree(length, free);
  }

  // The session's side.

  /** Sends the SYN of a stream just opened (Go's OpenStream) or the ACK of one just accepted (AcceptStream). */
  announce(): void {
    const delta = this.windows.open(this.unread);
    if (this.#phase === "synSent") this.#send(SYN, delta);
    else if (this.#phase === "synReceived") {
      this.#phase = "established";
      this.#send(ACK, delta);
    }
  }

  /** ACK and RST of a frame; false when the stream is over and the rest of the frame does not matter. */
  takeFlags(flags: number): boolean {
    if (flags & ACK) {
      if (this.#phase === "synSent") {
        this.#phase = "established";
        this.#host.openSettled(this);
      }
      this.#host.established(this);
    }
    if (flags & RST) {
      const error = new YamuxError("ERR_YAMUX_CONNECTION_RESET");
      this.#over("reset", error, error);
      this.#tell();
      return false;
    }
    return true;
  }

  /**
   * The peer ended its direction.
   * @throws YamuxError ERR_YAMUX_UNEXPECTED_FLAG when it had done so before
   */
  takeFin(): void {
    if (this.#readSide === "ended") throw new YamuxError("ERR_YAMUX_UNEXPECTED_FLAG");
    this.#readSide = "ended";
    if (this.#phase === "synSent") this.#host.openSettled(this);
    this.#host.established(this);
    if (this.#writeSide === "ended") this.#over("closed", undefined, undefined);
    this.#tell();
  }

  /** @throws YamuxError ERR_YAMUX_SEND_WINDOW_OVERFLOW */
  takeCredit(delta: number): void {
    if (delta === 0) return;
    this.windows.addCredit(delta);
    const outbox = this.#outbox;
    if (outbox === undefined || outbox.isEmpty) return;
    outbox.pump(this);
    if (!outbox.isEmpty) return;
    if (this.#writeSide === "closing") this.#sendFin();
    this.relieved();
  }

  /** A data frame of this length begins. @throws YamuxError ERR_YAMUX_RECV_WINDOW_EXCEEDED */
  expect(length: number): void {
    this.windows.expect(length);
  }

  /** The handler's own memory for the next bytes, of which so many are on their way. */
  room(expected: number): Buffer | undefined {
    if (this.#flow !== "flowing" || this.#draining || this.isOver || this.#readSide !== "open")
      return undefined;
    return this.#handler?.room?.(expected);
  }

  /** Whether the handler takes parts of larger blocks, and takes them now. */
  get takesParts(): boolean {
    return this.#flow !== "detached" && this.#handler?.takesParts === true;
  }

  /** Payload. `mayKeep`: the memory is not used again by the one who read it. */
  take(chunk: Buffer, mayKeep: boolean): void {
    // As the bytes come, not with their header: what is still on its way must not count as consumed.
    this.windows.received(chunk.length);
    // Go tolerates data after the end of its direction; nobody can be told of it any more.
    if (this.isOver || this.#readSide === "ended") return;
    if (this.#flow === "flowing") {
      this.#deliver(chunk, mayKeep && mayKeepChunk(this.#handler!, chunk));
      this.updateWindow();
    } else {
      this.#inbox ??= new ByteQueue();
      this.#inbox.push(chunk, mayKeep);
    }
  }

  /** Gives the peer credit for what the reader has consumed. */
  updateWindow(): void {
    if (this.isOver || this.#readSide !== "open") return;
    const delta = this.windows.reopen(this.unread);
    if (delta === 0) return;
    this.lastBatch = this.#host.writer.batch;
    this.#host.writer.credit(this.id, delta);
  }

  /** The writer has room again. */
  relieved(): void {
    if (!this.#drainOwed || this.isBlocked || this.isOver) return;
    if (this.#host.writer.congested) {
      this.#host.awaitRelief(this);
      return;
    }
    this.#drainOwed = false;
    try {
      this.#handler?.onDrain?.();
    } catch (cause) {
      this.destroy(new YamuxError("ERR_YAMUX_HANDLER_FAILED", { cause }));
    }
  }

  /** The session is over, or has lost patience with this stream: unread bytes are still delivered. */
  abort(error: YamuxError): void {
    if (this.isOver) return;
    this.#over("closed", error, error);
    this.#handler?.onWriteEnd?.(error);
    this.#tell();
  }

  /** A method, since the compiler does not expect a callback to change what it has just compared. */
  #isFlowing(): boolean {
    return this.#flow === "flowing";
  }

  #send(flags: number, delta = 0): void {
    const writer = this.#host.writer;
    this.lastBatch = writer.batch;
    writer.frame(WINDOW_UPDATE, flags, this.id, delta);
  }

  #sendFin(): void {
    this.#writeSide = "ended";
    // On a frame of its own: Go changes state before it stores a payload that comes with a FIN, and may lose it.
    this.#send(FIN);
    if (this.#readSide === "ended") {
      this.#over("closed", undefined, undefined);
      queueMicrotask(() => this.#tell());
    } else {
      this.#host.lingering(this);
    }
  }

  #deliver(chunk: Buffer, mayKeep: boolean): void {
    try {
      this.#handler!.onData(chunk, mayKeep);
    } catch (cause) {
      this.destroy(new YamuxError("ERR_YAMUX_HANDLER_FAILED", { cause }));
    }
  }

  #over(phase: "closed" | "reset", error: Error | undefined, refusal: YamuxError | undefined): void {
    this.#phase = phase;
    this.#closeError = error;
    this.#refusal = refusal;
    this.#outbox?.clear();
    if (phase === "reset") {
      this.#inbox?.clear();
      this.#readSide = "dropped";
    }
    this.#host.release(this);
  }

  // Tells the handler of the end and the close, once everything before them was delivered.
  #tell(): void {
    const handler = this.#handler;
    if (handler === undefined || this.#closeTold || this.#flow === "scheduled") return;
    if ((this.#inbox?.length ?? 0) > 0) return;
    try {
      if (this.#readSide === "ended" && !this.#endTold) {
        if (this.#flow !== "flowing") return;
        this.#endTold = true;
        handler.onEnd();
      }
      // onEnd may have closed the channel, or handed it over.
      if (!this.isOver || this.#closeTold || this.#handler !== handler) return;
      this.#closeTold = true;
      handler.onClose(this.#closeError);
    } catch (cause) {
      if (!this.isOver) this.destroy(new YamuxError("ERR_YAMUX_HANDLER_FAILED", { cause }));
      else
        process.nextTick(() => {
          throw cause;
        });
    }
  }
}
