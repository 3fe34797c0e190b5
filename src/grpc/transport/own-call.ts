import type { CallCredentials, Channel, Metadata, StatusObject } from "@grpc/grpc-js";
import type { HeaderList } from "../../http2/index.js";
import type { CallHead, EndStatus, OngoingListener } from "../calls.js";
import { type MetadataClass, readMetadata } from "./metadata.js";
import { type CallHost, OutgoingCall } from "./outgoing-call.js";

/** grpc-js's Call, as its clients use it; the package does not export the type. */
export type Call = ReturnType<Channel["createCall"]>;
type Listener = Parameters<Call["start"]>[1];
type MessageContext = Parameters<Call["sendMessageWithContext"]>[0];

/** WriteFlags.NoCompress. */
const NO_COMPRESS = 2;

let calls = 0;

/** A call of grpc-js's clients on goplug's transport. */
export class OwnCall implements OngoingListener {
  readonly #host: CallHost;
  readonly #head: CallHead;
  readonly #number = calls++;
  #call: OutgoingCall | undefined;
  #listener: Listener | undefined;
  #credentials: CallCredentials | undefined;
  /** The class of the caller's own copy of grpc-js, which it takes metadata of. */
  #Metadata!: MetadataClass<Metadata>;
  /** What was asked for before the connection, or the credentials, were there. */
  #waiting: (() => void)[] | undefined = [];
  #drained: (() => void)[] = [];
  #over = false;

  constructor(host: CallHost, head: CallHead) {
    this.#host = host;
    this.#head = head;
  }

  // grpc-js's Call

  start(given: Metadata, listener: Listener): void {
    this.#listener = listener;
    // The caller may use its object again. (A copy is of grpc-js's own class, whatever the caller has derived from it.)
    const metadata = given.clone();
    this.#Metadata = metadata.constructor as MetadataClass<Metadata>;
    const head = { ...this.#head, metadata, credentials: this.#credentials };
    this.#call = OutgoingCall.start(this.#host, head, this);
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(() => this.sendMessageWithContext(context, message));
      return;
    }
    const mayCompress = ((context.flags ?? 0) & NO_COMPRESS) === 0;
    const goOn = this.#call!.send(message, mayCompress);
    const { callback } = context;
    if (callback === undefined) return;
    if (goOn || this.#over) callback();
    else this.#drained.push(callback);
  }

  startRead(): void {
    if (this.#waiting !== undefined) this.#waiting.push(() => this.startRead());
    else this.#call!.read();
  }

  halfClose(): void {
    if (this.#waiting !== undefined) this.#waiting.push(() => this.halfClose());
    else this.#call!.halfClose();
  }

  cancelWithStatus(code: number, details: string): void {
    this.#call?.cancel(code, details);
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

  // OngoingListener

  onBegin(call: OutgoingCall): void {
    this.#call = call;
    const waiting = this.#waiting!;
    this.#waiting = undefined;
    for (const ask of waiting) ask();
  }

  onHeaders(headers: HeaderList): void {
    this.#listener!.onReceiveMetadata(readMetadata(headers, this.#Metadata));
  }

  onMessage(message: Buffer): void {
    this.#listener!.onReceiveMessage(message);
  }

  onDrain(): void {
    for (const callback of this.#drained.splice(0)) callback();
  }

  onStatus({ code, details, trailers, cause }: EndStatus): void {
    this.#over = true;
    this.#waiting = undefined;
    // A write that waits would wait for ever.
    this.onDrain();
    const status: StatusObject = { code, details, metadata: readMetadata(trailers, this.#Metadata) };
    this.#listener!.onReceiveStatus(cause === undefined ? status : Object.assign(status, { cause }));
  }
}
