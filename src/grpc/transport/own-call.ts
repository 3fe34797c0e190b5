import type { EventEmitter } from "node:events";
import type { CallCredentials, Channel, Deadline, Metadata, StatusObject } from "@grpc/grpc-js";
import type { CallObserver } from "../../diagnostics.js";
import type { HeaderList, Http2Error, Session } from "../../http2/index.js";
import { type CallListener, ClientCall } from "./client-call.js";
import { ACCEPTED_ENCODINGS } from "./compression.js";
import { grpcJs } from "./grpc-js.js";
import { appendMetadata, readMetadata } from "./metadata.js";
import type { ClientOptions } from "./options.js";
import { type CallStatus, Code } from "./status.js";
import { encodeTimeout } from "./timeout.js";
import type { Transport } from "./transport.js";

/** grpc-js's Call, as its clients use it; the package does not export the type. */
export type Call = ReturnType<Channel["createCall"]>;
type Listener = Parameters<Call["start"]>[1];
type MessageContext = Parameters<Call["sendMessageWithContext"]>[0];

/** What a call needs of its channel. */
export interface CallHost {
  readonly transport: Transport;
  readonly options: ClientOptions;
  readonly authority: string;
  readonly scheme: string;
  readonly peer: string;
  /** Counts the calls. */
  readonly observer: CallObserver | undefined;
  /** Finds out what became of the other side, where its loss has ended the call. */
  explain(): Promise<Error | undefined>;
}

/** WriteFlags.NoCompress. */
const NO_COMPRESS = 2;

let calls = 0;

/** A call of grpc-js's clients on goplug's transport. */
export class OwnCall implements CallListener {
  readonly #host: CallHost;
  readonly #path: string;
  readonly #authority: string;
  readonly #deadline: number;
  readonly #number = calls++;
  readonly #call: ClientCall;
  #listener: Listener | undefined;
  #credentials: CallCredentials | undefined;
  /** What is sent with the request; there once a connection is. */
  #metadata: Metadata | undefined;
  /** What was asked for before the connection, or the credentials, were there. */
  #waiting: (() => void)[] | undefined = [];
  #drained: (() => void)[] = [];
  #started = false;
  #over = false;
  #lost = false;
  #leaveParent: (() => void) | undefined;

  constructor(host: CallHost, path: string, deadline: number, authority: string | undefined) {
    this.#host = host;
    this.#path = path;
    this.#deadline = deadline;
    this.#authority = authority ?? host.authority;
    this.#call = new ClientCall(host.options.limits, this);
    if (deadline !== Infinity) this.#call.limit(deadline);
  }

  /** Ends with the call of a server that it belongs to. */
  follow(parent: EventEmitter): void {
    const onCancelled = (): void => this.cancelWithStatus(Code.CANCELLED, "Cancelled by parent call");
    parent.on("cancelled", onCancelled);
    this.#leaveParent = () => parent.off("cancelled", onCancelled);
  }

  // grpc-js's Call

  start(metadata: Metadata, listener: Listener): void {
    this.#listener = listener;
    this.#started = true;
    this.#host.transport.callBegins();
    // The caller may use its object again.
    const given = metadata.clone();
    if (this.#credentials === undefined) this.#connected(given);
    else void this.#startWithCredentials(given, this.#credentials);
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(() => this.sendMessageWithContext(context, message));
      return;
    }
    const mayCompress = ((context.flags ?? 0) & NO_COMPRESS) === 0;
    const goOn = this.#call.send(message, mayCompress);
    const { callback } = context;
    if (callback === undefined) return;
    if (goOn || this.#over) callback();
    else this.#drained.push(callback);
  }

  startRead(): void {
    if (this.#waiting !== undefined) this.#waiting.push(() => this.startRead());
    else this.#call.read();
  }

  halfClose(): void {
    if (this.#waiting !== undefined) this.#waiting.push(() => this.halfClose());
    else this.#call.halfClose();
  }

  cancelWithStatus(code: number, details: string): void {
    this.#call.cancel(code, details);
  }

  setCredentials(credentials: CallCredentials): void {
    this.#credentials = credentials;
  }

  getPeer(): string {
    return this.#host.peer;
  }

  getCallNumber(): number {
    return this.#number;
  }

  getAuthContext(): ReturnType<Call["getAuthContext"]> {
    return this.#host.transport.authContext;
  }

  // CallListener

  onHeaders(headers: HeaderList): void {
    this.#listener!.onReceiveMetadata(readMetadata(headers));
  }

  onMessage(message: Buffer): void {
    this.#listener!.onReceiveMessage(message);
  }

  onDrain(): void {
    for (const callback of this.#drained.splice(0)) callback();
  }

  onUnprocessed(): void {
    this.#connected(this.#metadata!);
  }

  onStatus(status: CallStatus): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = undefined;
    this.#leaveParent?.();
    if (this.#started) this.#host.transport.callEnds();
    const { code, details, trailers } = status;
    const object: StatusObject = { code, details, metadata: readMetadata(trailers) };
    // A write that waits would wait for ever.
    this.onDrain();
    if (this.#lost || isLoss(status.error)) void this.#tellLoss(object);
    else this.#listener?.onReceiveStatus(object);
  }

  async #tellLoss(status: StatusObject): Promise<void> {
    const cause = await this.#host.explain();
    this.#listener?.onReceiveStatus(cause === undefined ? status : Object.assign(status, { cause }));
  }

  /** Begins as soon as there is a connection. */
  #connected(metadata: Metadata): void {
    const session = this.#host.transport.session();
    if ("open" in session) this.#begin(session, metadata);
    else
      session.then(
        (late) => this.#begin(late, metadata),
        (error: Error) => this.#unavailable(error),
      );
  }

  async #startWithCredentials(metadata: Metadata, credentials: CallCredentials): Promise<void> {
    const slash = this.#path.lastIndexOf("/");
    const { scheme } = this.#host;
    const serviceUrl = `${scheme}://${this.#authority}${this.#path.slice(0, slash)}`;
    try {
      const session = await this.#host.transport.session();
      try {
        const extra = await credentials.generateMetadata({
          service_url: serviceUrl,
          method_name: this.#path.slice(slash + 1),
        } as Parameters<CallCredentials["generateMetadata"]>[0]);
        metadata.merge(extra);
      } catch (error) {
        const { code, message } = error as { code?: unknown; message: string };
        const details = `Getting metadata from plugin failed with error: ${message}`;
        this.cancelWithStatus(typeof code === "number" ? code : Code.UNKNOWN, details);
        return;
      }
      if (metadata.get("authorization").length > 1) {
        this.cancelWithStatus(Code.INTERNAL, '"authorization" metadata cannot have multiple values');
        return;
      }
      this.#begin(session, metadata);
    } catch (error) {
      this.#unavailable(error as Error);
    }
  }

  #begin(session: Session, metadata: Metadata): void {
    if (this.#over) return;
    this.#metadata = metadata;
    const { options, scheme } = this.#host;
    const headers: HeaderList = [
      ":method",
      "POST",
      ":scheme",
      scheme,
      ":path",
      this.#path,
      ":authority",
      this.#authority,
      "content-type",
      "application/grpc",
      "user-agent",
      options.userAgent,
      "te",
      "trailers",
      "grpc-accept-encoding",
      ACCEPTED_ENCODINGS,
    ];
    if (options.encoding !== "identity") headers.push("grpc-encoding", options.encoding);
    if (this.#deadline !== Infinity) {
      headers.push("grpc-timeout", encodeTimeout(Math.max(0, this.#deadline - Date.now())));
    }
    appendMetadata(headers, metadata);
    try {
      this.#call.start(session, headers, options.encoding);
    } catch (error) {
      this.#unavailable(error as Error);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) for (const ask of waiting) ask();
  }

  /** There is no connection. */
  #unavailable(error: Error): void {
    this.#lost = true;
    this.cancelWithStatus(Code.UNAVAILABLE, error.message);
  }
}

/** The end of a connection, not of one stream. */
function isLoss(error: Http2Error | undefined): boolean {
  return error !== undefined && error.code !== "ERR_HTTP2_RESET" && error.code !== "ERR_HTTP2_STREAM";
}

/** A deadline as milliseconds since the epoch. */
export function deadlineTime(deadline: Deadline | undefined | null): number {
  if (deadline === undefined || deadline === null) return Infinity;
  return deadline instanceof Date ? deadline.getTime() : deadline;
}

/** grpc-js's propagation flags. */
export function propagates(flags: number | null | undefined, what: "DEADLINE" | "CANCELLATION"): boolean {
  const { propagate } = grpcJs();
  return ((flags ?? propagate.DEFAULTS) & propagate[what]) !== 0;
}
