import { publishStream } from "../diagnostics.js";
import type { WaitOptions } from "../wait.js";
import type { ResolvedConfig } from "./config.js";
import { Deadlines } from "./deadlines.js";
import { YamuxError } from "./errors.js";
import {
  ACK,
  describeFrame,
  FIN,
  GO_AWAY,
  GO_AWAY_INTERNAL_ERROR,
  GO_AWAY_NORMAL,
  GO_AWAY_PROTOCOL_ERROR,
  PING,
  RST,
  SYN,
  WINDOW_UPDATE,
} from "./frame.js";
import type { ChannelHost } from "./mux-channel.js";
import { MuxChannel } from "./mux-channel.js";
import type { FrameSink } from "./parser.js";
import { Stream } from "./stream.js";
import { WaitQueue } from "./wait-queue.js";
import type { FrameWriter, WriterEvents } from "./writer.js";

// Answers that may wait for a peer that does not read: further ping replies are dropped (as Go does after its write
// timeout), further refusals of streams end the session, since a lost refusal would leave the peer waiting.
const MAX_QUEUED_PONGS = 4096;
const MAX_QUEUED_ANSWERS = 65_536;

// Go stops opening here (session.go, OpenStream).
const EXHAUSTED_FROM = 0xffff_ffff - 1;

/** What the mux asks of the session around it. */
export interface MuxEvents {
  /** A timer of the mux ends the session. */
  failed(error: YamuxError): void;
  pong(id: number): void;
  goAwayReceived(): void;
}

/** The streams of a session and what frames do to them: synchronous, and without knowledge of the connection. */
export class Mux implements FrameSink, ChannelHost, WriterEvents {
  writer!: FrameWriter;
  readonly maxWindow: number;
  /** Whether windows grow beyond that where the reader keeps up. */
  growsWindows = false;
  readonly #config: ResolvedConfig;
  readonly #events: MuxEvents;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #channels = new Map<number, MuxChannel>();
  readonly #opening: Deadlines<MuxChannel>;
  readonly #lingering: Deadlines<MuxChannel>;
  readonly #openers = new WaitQueue<MuxChannel>();
  readonly #accepters = new WaitQueue<MuxChannel>();
  #unaccepted: MuxChannel[] = [];
  #needRelief = new Set<MuxChannel>();
  #backlog = 0;
  #nextId: number;
  #localGoAway = false;
  #remoteGoAway = false;
  #end: { readonly reason: YamuxError } | undefined;
  // The data frame whose payload is being read.
  #current: MuxChannel | undefined;
  #currentFin = false;
  #roomOf: MuxChannel | undefined;
  /** Whether payloads may be kept instead of copied: not if they are read into memory that is used again. */
  mayKeep = true;
  /** Frames received so far. */
  frames = 0;

  constructor(
    config: ResolvedConfig,
    firstId: 1 | 2,
    events: MuxEvents,
    trace: ((line: string) => void) | undefined,
  ) {
    this.#config = config;
    this.#nextId = firstId;
    this.#events = events;
    this.#trace = trace;
    this.maxWindow = config.maxStreamWindowSize;
    this.#opening = new Deadlines(config.streamOpenTimeout, () => {
      events.failed(
        new YamuxError("ERR_YAMUX_TIMEOUT", {
          message: "aborted stream open: i/o deadline reached: the peer did not accept the stream",
        }),
      );
    });
    this.#lingering = new Deadlines(config.streamCloseTimeout, (channel) => {
      channel.destroy(new YamuxError("ERR_YAMUX_STREAM_CLOSE_TIMEOUT"));
    });
  }

  get size(): number {
    return this.#channels.size;
  }

  get localGoAway(): boolean {
    return this.#localGoAway;
  }

  get remoteGoAway(): boolean {
    return this.#remoteGoAway;
  }

  // What the application asks for.

  open(wait: WaitOptions): Promise<MuxChannel> {
    const refusal = this.#openRefusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    // Behind those who wait already.
    if (this.#backlog >= this.#config.acceptBacklog || this.#openers.size > 0 || wait.signal?.aborted)
      return this.#openers.wait("opening a yamux stream", wait);
    return Promise.resolve(this.#openNow());
  }

  accept(wait: WaitOptions): Promise<MuxChannel> {
    if (this.#end !== undefined) return Promise.reject(this.#end.reason);
    if (this.#unaccepted.length === 0 || wait.signal?.aborted)
      return this.#accepters.wait("accepting a yamux stream", wait);
    const channel = this.#unaccepted.shift()!;
    channel.announce();
    return Promise.resolve(channel);
  }

  sendGoAway(code: number): void {
    this.#localGoAway = true;
    this.writer.frame(GO_AWAY, 0, 0, code);
  }

  /** Ends everything with this error; nothing can be opened or accepted after that. */
  shutdown(reason: YamuxError, streamError: YamuxError): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    this.#opening.clear();
    this.#lingering.clear();
    this.#unaccepted = [];
    this.#needRelief.clear();
    this.#openers.fail(streamError);
    this.#accepters.fail(reason);
    for (const channel of [...this.#channels.values()]) channel.abort(streamError);
  }

  // FrameSink

  frame(type: number, flags: number, id: number, length: number): boolean {
    this.frames++;
    if (this.#trace !== undefined) this.#trace(`< ${describeFrame(type, flags, id, length)}`);
    if (type > WINDOW_UPDATE) {
      if (type === PING) this.#takePing(flags, length);
      else this.#takeGoAway(length);
      return false;
    }
    if (flags & SYN && !this.#takeSyn(id)) return false;
    const channel = this.#channels.get(id);
    // Finished, reset or never there: its late frames are normal.
    if (channel === undefined) return false;
    if (flags & (ACK | RST) && !channel.takeFlags(flags)) return false;
    const fin = (flags & FIN) !== 0;
    if (type === WINDOW_UPDATE || length === 0) {
      if (fin) channel.takeFin();
      if (type === WINDOW_UPDATE) channel.takeCredit(length);
      return false;
    }
    channel.expect(length);
    // The end counts once the payload in front of it is delivered.
    this.#current = channel;
    this.#currentFin = fin;
    return true;
  }

  payload(chunk: Buffer, last: boolean): void {
    const channel = this.#current!;
    channel.take(chunk, this.mayKeep);
    if (!last) return;
    this.#current = undefined;
    if (this.#currentFin && !channel.isOver) channel.takeFin();
  }

  /** Where the rest of the payload that is being read may be put, so that nobody need copy it: its reader's own memory. */
  room(payloadLeft: number): Buffer | undefined {
    const channel = this.#current;
    const room = channel?.room(payloadLeft);
    this.#roomOf = room === undefined ? undefined : channel;
    return room;
  }

  /** Whether the payload that is being read goes to one who keeps parts of larger blocks. */
  get feedsParts(): boolean {
    return this.#current?.takesParts === true;
  }

  /** Whether the one whose memory was given last waits for so many bytes more. */
  wantsMore(bytes: number): boolean {
    const room = this.#roomOf?.room(bytes);
    return room !== undefined && room.length >= bytes;
  }

  // ChannelHost

  established(channel: MuxChannel): void {
    if (!channel.inBacklog) return;
    channel.inBacklog = false;
    this.#backlog--;
    if (this.#openers.size > 0 && this.#end === undefined) this.#serveOpener();
  }

  openSettled(channel: MuxChannel): void {
    this.#opening.delete(channel);
  }

  lingering(channel: MuxChannel): void {
    this.#lingering.add(channel);
  }

  release(channel: MuxChannel): void {
    if (this.#channels.delete(channel.id)) publishStream("close", channel.id, channel.windows);
    this.#opening.delete(channel);
    this.#lingering.delete(channel);
    this.#needRelief.delete(channel);
    if (this.#roomOf === channel) this.#roomOf = undefined;
    if (this.#unaccepted.length > 0 && channel.state === "reset") {
      // Taken back by the peer before anyone saw it.
      const at = this.#unaccepted.indexOf(channel);
      if (at >= 0) this.#unaccepted.splice(at, 1);
    }
    this.established(channel);
  }

  awaitRelief(channel: MuxChannel): void {
    this.#needRelief.add(channel);
  }

  toDuplex(channel: MuxChannel): Stream {
    return new Stream(channel, (callback) => this.writer.afterFlush(callback));
  }

  // WriterEvents

  relieved(): void {
    const waiting = this.#needRelief;
    this.#needRelief = new Set();
    for (const channel of waiting) channel.relieved();
  }

  stalled(since: number): void {
    // Go fails each call whose frame is not written in time, and leaves the rest to the keepalive.
    const error = new YamuxError("ERR_YAMUX_CONNECTION_WRITE_TIMEOUT");
    for (const channel of [...this.#channels.values()])
      if (channel.lastBatch >= since) channel.destroy(error);
  }

  #openRefusal(): YamuxError | undefined {
    if (this.#end !== undefined)
      return new YamuxError("ERR_YAMUX_SESSION_SHUTDOWN", { cause: this.#end.reason });
    if (this.#remoteGoAway) return new YamuxError("ERR_YAMUX_REMOTE_GO_AWAY");
    if (this.#nextId >= EXHAUSTED_FROM) return new YamuxError("ERR_YAMUX_STREAMS_EXHAUSTED");
    return undefined;
  }

  #openNow(): MuxChannel {
    const channel = new MuxChannel(this, this.#nextId, "synSent");
    this.#nextId += 2;
    this.#backlog++;
    channel.inBacklog = true;
    this.#channels.set(channel.id, channel);
    this.#opening.add(channel);
    publishStream("open", channel.id, channel.windows);
    channel.announce();
    return channel;
  }

  #serveOpener(): void {
    const refusal = this.#openRefusal();
    if (refusal !== undefined) this.#openers.fail(refusal);
    else this.#openers.offer(this.#openNow());
  }

  #takeSyn(id: number): boolean {
    if (this.#channels.has(id)) throw new YamuxError("ERR_YAMUX_DUPLICATE_STREAM");
    const waited = this.#accepters.size > 0;
    if (this.#localGoAway || (!waited && this.#unaccepted.length >= this.#config.acceptBacklog)) {
      if (++this.writer.answers > MAX_QUEUED_ANSWERS) throw new YamuxError("ERR_YAMUX_SEND_QUEUE_FULL");
      this.writer.frame(WINDOW_UPDATE, RST, id, 0);
      return false;
    }
    const channel = new MuxChannel(this, id, "synReceived");
    this.#channels.set(id, channel);
    publishStream("accept", id, channel.windows);
    if (waited) {
      channel.announce();
      this.#accepters.offer(channel);
    } else {
      this.#unaccepted.push(channel);
    }
    return true;
  }

  #takePing(flags: number, id: number): void {
    // Go takes every ping without SYN for an answer, and ignores answers to nothing.
    if ((flags & SYN) === 0) this.#events.pong(id);
    else if (++this.writer.answers <= MAX_QUEUED_PONGS) this.writer.frame(PING, ACK, 0, id);
  }

  #takeGoAway(code: number): void {
    if (code === GO_AWAY_NORMAL) {
      if (this.#remoteGoAway) return;
      this.#remoteGoAway = true;
      this.#openers.fail(new YamuxError("ERR_YAMUX_REMOTE_GO_AWAY"));
      this.#events.goAwayReceived();
      return;
    }
    let message = "unexpected go away received";
    if (code === GO_AWAY_PROTOCOL_ERROR) message = "yamux protocol error";
    if (code === GO_AWAY_INTERNAL_ERROR) message = "remote yamux internal error";
    throw new YamuxError("ERR_YAMUX_GO_AWAY", { message });
  }
}
