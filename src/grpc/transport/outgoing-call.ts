import type { CallCredentials } from "@grpc/grpc-js";
import { areCallsTraced, type CallObserver, ObservedCall } from "../../diagnostics.js";
import type { HeaderList, Http2Error, Session } from "../../http2/index.js";
import type { CallHead, EndStatus, OngoingCall, OngoingListener } from "../calls.js";
import { GrpcError } from "../errors.js";
import { isMetadata, Metadata, type MetadataInit, type MetadataLike } from "../metadata.js";
import { isOwnService } from "../own-services.js";
import { deadlineUnder, followParent } from "../propagation.js";
import { type CallListener, ClientCall } from "./client-call.js";
import { ACCEPTED_ENCODINGS, MessageError } from "./compression.js";
import { credentialsMetadata } from "./credentials-metadata.js";
import { appendMetadata } from "./metadata.js";
import type { ClientOptions } from "./options.js";
import { type CallStatus, Code } from "./status.js";
import { encodeTimeout } from "./timeout.js";
import type { Transport } from "./transport.js";

/** What a call needs of its connection. */
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

/** A call on goplug's transport: from the wait for a session to a status with its cause. */
export class OutgoingCall implements OngoingCall, CallListener {
  readonly #host: CallHost;
  readonly #head: CallHead;
  readonly #listener: OngoingListener;
  readonly #call: ClientCall;
  /** Milliseconds since the epoch; undefined for never. */
  readonly #deadline: number | undefined;
  readonly #leaveParent: (() => void) | undefined;
  /** What is sent with the request, if anything is. */
  #metadata: MetadataLike | undefined;
  #seen: ObservedCall | undefined;
  #begun = false;
  #cancelled = false;
  #over = false;
  /** Why there was no connection to begin with. */
  #unreachable: Error | undefined;

  private constructor(host: CallHost, head: CallHead, listener: OngoingListener) {
    const { parent, propagateFlags } = head;
    this.#host = host;
    this.#head = head;
    this.#listener = listener;
    this.#call = new ClientCall(host.options.limits, this);
    let { deadline } = head;
    if (parent !== undefined) {
      deadline = deadlineUnder(parent, propagateFlags, deadline);
      const cancelled = (): void => this.cancel(Code.CANCELLED, "Cancelled by parent call");
      this.#leaveParent = followParent(parent, propagateFlags, cancelled);
    }
    if (deadline === Infinity) return;
    this.#deadline = deadline;
    this.#call.limit(deadline);
  }

  /** Begins a call; the listener is told nothing but `onBegin` before this has returned. */
  static start(host: CallHost, head: CallHead, listener: OngoingListener): OutgoingCall {
    const call = new OutgoingCall(host, head, listener);
    host.transport.callBegins();
    call.#observe(head);
    return call;
  }

  // OngoingCall

  send(message: Uint8Array, mayCompress = true): boolean {
    this.#seen?.sent(message.length);
    return this.#call.send(message, mayCompress);
  }

  halfClose(): void {
    this.#call.halfClose();
  }

  read(): void {
    this.#call.read();
  }

  cancel(code: number, details: string): void {
    this.#cancelled = true;
    this.#call.cancel(code, details);
  }

  // CallListener

  onHeaders(headers: HeaderList): void {
    this.#listener.onHeaders(headers);
  }

  onMessage(message: Buffer): void {
    this.#seen?.received(message.length);
    this.#listener.onMessage(message);
  }

  onDrain(): void {
    this.#listener.onDrain?.();
  }

  onUnprocessed(): void {
    this.#connect();
  }

  onStatus(status: CallStatus): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveParent?.();
    this.#host.transport.callEnds();
    const cause = this.#unreachable ?? status.error;
    if (cause === undefined) this.#end(status);
    else if (status.error !== undefined && !isLoss(status.error)) this.#end({ ...status, cause });
    else void this.#explain(status, cause);
  }

  /** Where it is known what became of the other side, that says more than what the connection knows. */
  async #explain(status: CallStatus, cause: Error): Promise<void> {
    this.#end({ ...status, cause: (await this.#host.explain()) ?? cause });
  }

  #end(status: EndStatus): void {
    const seen = this.#seen;
    if (seen !== undefined) {
      const { code, details, cause } = status;
      if (code === Code.OK) seen.succeed();
      else seen.fail(new GrpcError(code, details, { what: this.#head.path, cause }));
    }
    this.#listener.onStatus(status);
  }

  #observe({ path, metadata: given }: CallHead): void {
    // Observers may add to what goes out, and the caller may use its object again.
    const metadata = given === undefined && !areCallsTraced() ? undefined : ownCopy(given);
    this.#seen = isOwnService(path)
      ? undefined
      : ObservedCall.of(this.#host.observer, { protocol: "grpc", method: path, metadata });
    if (this.#seen === undefined) this.#start(metadata);
    else this.#seen.begin(() => this.#start(metadata));
  }

  #start(metadata: MetadataLike | undefined): void {
    this.#metadata = metadata;
    if (this.#head.credentials === undefined) this.#connect();
    else void this.#startWithCredentials(metadata, this.#head.credentials);
  }

  async #startWithCredentials(given: MetadataLike | undefined, credentials: CallCredentials): Promise<void> {
    const metadata = given === undefined ? new Metadata() : Metadata.from(given);
    try {
      // Credentials are for those who can be reached.
      await this.#host.transport.session();
    } catch (error) {
      this.#unavailable(error as Error);
      return;
    }
    try {
      const origin = `${this.#host.scheme}://${this.#authority}`;
      metadata.merge(await credentialsMetadata(credentials, origin, this.#head.path));
      if (metadata.get("authorization").length > 1) {
        throw new MessageError(Code.INTERNAL, '"authorization" metadata cannot have multiple values');
      }
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.cancel(error.status, error.message);
      return;
    }
    this.#metadata = metadata;
    this.#connect();
  }

  /** Begins, or begins again, as soon as there is a connection. */
  #connect(): void {
    const session = this.#host.transport.session();
    if ("open" in session) this.#begin(session);
    else
      session.then(
        (late) => this.#begin(late),
        (error: Error) => this.#unavailable(error),
      );
  }

  #begin(session: Session): void {
    if (this.#over || this.#cancelled) return;
    const { options } = this.#host;
    try {
      this.#call.start(session, this.#headers(), options.encoding);
    } catch (error) {
      this.#unavailable(error as Error);
      return;
    }
    if (this.#begun) return;
    this.#begun = true;
    this.#listener.onBegin(this);
  }

  #headers(): HeaderList {
    const { options, scheme } = this.#host;
    const headers: HeaderList = [
      ":method",
      "POST",
      ":scheme",
      scheme,
      ":path",
      this.#head.path,
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
    if (this.#deadline !== undefined) {
      headers.push("grpc-timeout", encodeTimeout(Math.max(0, this.#deadline - Date.now())));
    }
    if (this.#metadata !== undefined) appendMetadata(headers, this.#metadata);
    return headers;
  }

  get #authority(): string {
    return this.#head.host ?? this.#host.authority;
  }

  /** There is no connection. */
  #unavailable(error: Error): void {
    this.#unreachable = error;
    this.cancel(Code.UNAVAILABLE, error.message);
  }
}

function ownCopy(given: MetadataInit | undefined): MetadataLike {
  if (given === undefined) return new Metadata();
  return isMetadata(given) ? given.clone() : Metadata.from(given);
}

/** The end of a connection, not of one stream. */
function isLoss(error: Http2Error): boolean {
  return error.code !== "ERR_HTTP2_RESET" && error.code !== "ERR_HTTP2_STREAM";
}
