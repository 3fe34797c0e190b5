import type { CallCredentials, CallOptions, Metadata, ServiceError, StatusObject } from "@grpc/grpc-js";
import type { HeaderList } from "../../http2/index.js";
import type { CallHead, EndStatus, OngoingCall, OngoingListener, ParentCall } from "../calls.js";
import type { Interceptors } from "../grpc-js-types.js";
import { LazyEmitter } from "../lazy-emitter.js";
import { deadlineTime } from "../propagation.js";
import { GrpcStatus, nameOfStatus } from "../status.js";
import { type MetadataClass, readMetadata } from "./metadata.js";
import { type CallHost, OutgoingCall } from "./outgoing-call.js";

// The unary methods of generated clients, without grpc-js's own layers: its objects, closures and copies of metadata cost
// a call two to three times what HTTP/2 does. Whatever these would do with a call is done here as well; calls with
// interceptors still go through them.

/** What generators for grpc-js say of a method, on the function that grpc-js makes of it (make-client.js). */
interface GeneratedMethod {
  (...given: unknown[]): unknown;
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (request: unknown) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

type Callback = (error: ServiceError | null, answer?: unknown) => void;

/** What grpc-js's clients read the arguments of their methods with. */
interface ArgumentReader {
  checkOptionalUnaryResponseArguments(...given: unknown[]): {
    readonly metadata: Metadata;
    readonly options: CallOptions;
    readonly callback: Callback;
  };
  checkMetadataAndOptions(): { readonly metadata: Metadata };
}

/** Gives the unary methods that a client has of grpc-js's `makeClientConstructor` the direct way, if nothing of its options stands in it. */
export function makeDirect<T>(client: T, host: CallHost, options: Interceptors): T {
  const {
    interceptors,
    interceptor_providers: providers,
    callInvocationTransformer,
  } = options as Interceptors & {
    readonly callInvocationTransformer?: unknown;
  };
  if (isFilled(interceptors) || isFilled(providers) || callInvocationTransformer) return client;
  // A class that is derived from a generated one has methods and options of its own.
  const prototype = Object.getPrototypeOf(client) as Record<string, unknown>;
  if (!Object.hasOwn(prototype.constructor!, "serviceName")) return client;
  const reader = client as ArgumentReader;
  if (typeof reader.checkOptionalUnaryResponseArguments !== "function") return client;
  for (const [name, method] of Object.entries(prototype)) {
    if (!isGenerated(method) || method.requestStream || method.responseStream) continue;
    const value = Object.assign(directMethod(host, reader, prototype, name, method), method);
    Object.defineProperty(client, name, { value, writable: true, configurable: true });
  }
  return client;
}

function isFilled(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}

function isGenerated(value: unknown): value is GeneratedMethod {
  if (typeof value !== "function") return false;
  const { path, requestSerialize, responseDeserialize } = value as Partial<GeneratedMethod>;
  return (
    typeof path === "string" &&
    typeof requestSerialize === "function" &&
    typeof responseDeserialize === "function"
  );
}

function directMethod(
  host: CallHost,
  reader: ArgumentReader,
  prototype: Record<string, unknown>,
  name: string,
  method: GeneratedMethod,
) {
  const plain: CallHead = { path: method.path, deadline: Infinity };
  let Metadata: MetadataClass<Metadata> | undefined;
  const inherited = (given: unknown[]): unknown => (prototype[name] as GeneratedMethod).apply(reader, given);
  return (...given: unknown[]): unknown => {
    // Somebody has put a function of theirs in the place of grpc-js's, perhaps a test.
    if (prototype[name] !== method || host.transport.state === "shutdown") return inherited(given);
    let head = plain;
    let callback = given[1];
    if (typeof callback !== "function") {
      const {
        metadata,
        options,
        callback: found,
      } = reader.checkOptionalUnaryResponseArguments(...given.slice(1));
      if (
        !(options instanceof Object) ||
        isFilled(options.interceptors) ||
        isFilled(options.interceptor_providers)
      ) {
        return inherited(given);
      }
      callback = found;
      head = headOf(method.path, metadata, options);
    }
    Metadata ??= reader.checkMetadataAndOptions().metadata.constructor as MetadataClass<Metadata>;
    const call = new DirectCall(host, method, Metadata, callback as Callback);
    call.start(head, given[0]);
    return call;
  };
}

function headOf(path: string, metadata: Metadata, options: CallOptions): CallHead {
  return {
    path,
    metadata,
    deadline: deadlineTime(options.deadline),
    host: options.host,
    parent: (options.parent ?? undefined) as ParentCall | undefined,
    propagateFlags: options.propagate_flags,
    credentials: options.credentials as CallCredentials | undefined,
  };
}

/** A unary call: what its caller holds of it, as grpc-js's ClientUnaryCall. */
class DirectCall extends LazyEmitter implements OngoingListener {
  readonly #host: CallHost;
  readonly #method: GeneratedMethod;
  readonly #Metadata: MetadataClass<Metadata>;
  readonly #callback: Callback;
  /** For its stack: where the call was made. */
  #site: Error | undefined = new Error();
  #call: OngoingCall | undefined;
  #begun = false;
  #request: Buffer | undefined;
  /** Null as long as there is none: grpc-js's word for it. */
  #answer: unknown = null;
  /** Why the answer cannot be read. */
  #failure: StatusObject | undefined;

  constructor(
    host: CallHost,
    method: GeneratedMethod,
    Metadata: MetadataClass<Metadata>,
    callback: Callback,
  ) {
    super();
    this.#host = host;
    this.#method = method;
    this.#Metadata = Metadata;
    this.#callback = callback;
  }

  start(head: CallHead, request: unknown): void {
    const call = OutgoingCall.start(this.#host, head, this);
    this.#call = call;
    try {
      this.#request = this.#method.requestSerialize(request);
    } catch (error) {
      call.cancel(GrpcStatus.INTERNAL, `Request message serialization failure: ${textOf(error)}`);
      return;
    }
    if (this.#begun) this.#send(call);
  }

  // ClientUnaryCall

  cancel(): void {
    this.cancelWithStatus(GrpcStatus.CANCELLED, "Cancelled on client");
  }

  getPeer(): string {
    return this.#host.peer;
  }

  getAuthContext(): CallHost["transport"]["authContext"] {
    return this.#host.transport.authContext;
  }

  /** In grpc-js another object, of which callers can use this much. */
  get call(): Pick<DirectCall, "cancelWithStatus" | "getPeer" | "getAuthContext"> {
    return this;
  }

  cancelWithStatus(code: number, details: string): void {
    this.#call?.cancel(code, details);
  }

  // OngoingListener

  onBegin(call: OngoingCall): void {
    this.#begun = true;
    call.read();
    if (this.#request !== undefined) this.#send(call);
  }

  onHeaders(headers: HeaderList): void {
    if (this.listenerCount("metadata") > 0) this.emit("metadata", readMetadata(headers, this.#Metadata));
  }

  onMessage(message: Buffer): void {
    try {
      this.#answer = this.#method.responseDeserialize(message);
    } catch (error) {
      const details = `Response message parsing error: ${textOf(error)}`;
      this.#failure = { code: GrpcStatus.INTERNAL, details, metadata: new this.#Metadata() };
      this.#call!.cancel(GrpcStatus.INTERNAL, details);
    }
  }

  onStatus(end: EndStatus): void {
    if (end.code === GrpcStatus.OK && this.#failure === undefined && this.#answer !== null) {
      this.#site = undefined;
      this.#callback(null, this.#answer);
      if (this.listenerCount("status") > 0) this.emit("status", this.#statusOf(end));
      return;
    }
    const status = this.#failure ?? this.#statusOf(end);
    const { OK, UNIMPLEMENTED } = GrpcStatus;
    const failed =
      status.code === OK ? { ...status, code: UNIMPLEMENTED, details: "No message received" } : status;
    const error = errorOf(failed, this.#site!);
    this.#site = undefined;
    this.#callback(error);
    this.emit("status", status);
  }

  #send(call: OngoingCall): void {
    call.send(this.#request!);
    call.halfClose();
    this.#request = undefined;
  }

  #statusOf({ code, details, trailers, cause }: EndStatus): StatusObject {
    const status = { code, details, metadata: readMetadata(trailers, this.#Metadata) };
    return cause === undefined ? status : Object.assign(status, { cause });
  }
}

/** grpc-js's getErrorMessage. */
function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** grpc-js's callErrorFromStatus: the stack says where the call was made. */
function errorOf(status: StatusObject, site: Error): ServiceError {
  const message = `${status.code} ${nameOfStatus(status.code)}: ${status.details}`;
  const frames = site.stack?.split("\n").slice(1).join("\n") || "no stack trace available";
  const error = new Error(message);
  return Object.assign(error, status, { stack: `${error.stack}\nfor call at\n${frames}` });
}
