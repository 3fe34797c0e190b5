import type { EventEmitter } from "node:events";
import type {
  Metadata,
  ServerErrorResponse,
  ServerInterceptingCallInterface,
  ServerInterceptor,
  StatusObject,
} from "@grpc/grpc-js";
import type { OwnServerCall, ServerListener, ServerMethod } from "./server-call.js";
import {
  BothCall,
  errorStatus,
  type PartialStatusObject,
  ReadingCall,
  UnaryCall,
  WritingCall,
} from "./server-surface.js";
import { Code } from "./status.js";

/** A method of a server: what `addService` has made of it. */
export interface Handler {
  readonly path: string;
  readonly type: "unary" | "clientStream" | "serverStream" | "bidi";
  readonly func: HandlerFunction;
  readonly method: ServerMethod;
  /** Whether the handler, or what is before it, takes grpc-js's metadata, and not goplug's. */
  readonly takesGrpcJs: boolean;
  /** For interceptors. */
  readonly definition: Parameters<ServerInterceptor>[0];
}

export type HandlerFunction = (call: unknown, answer?: Answer) => void;

/** Which of grpc-js's four kinds a method is. */
export function typeOf({
  requestStream,
  responseStream,
}: {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}): Handler["type"] {
  if (requestStream) return responseStream ? "bidi" : "clientStream";
  return responseStream ? "serverStream" : "unary";
}

/** What stands for a method that an implementation lacks (grpc-js: server.ts, getDefaultHandler). */
export function defaultHandler(type: Handler["type"], name: string): HandlerFunction {
  const status = {
    code: Code.UNIMPLEMENTED,
    details: `The server does not implement the method ${name}`,
  };
  if (type === "unary" || type === "clientStream") return (_call, answer) => answer!(status, null);
  return (call) => void (call as EventEmitter).emit("error", status);
}

type Answer = (
  error: ServerErrorResponse | Partial<StatusObject> | null,
  value?: unknown,
  trailer?: Metadata,
) => void;

type Call = ServerInterceptingCallInterface;

/** Whether the handler is called with the whole request, when the client has ended its side. */
export function isWhole({ type }: Handler): boolean {
  return type === "unary" || type === "serverStream";
}

/** Runs a handler for a call, as grpc-js does for each of the four kinds. */
export function handle(call: OwnServerCall, handler: Handler): void {
  if (!isWhole(handler)) streamed(call, handler);
  else if (call.outermost === call) call.startLazily(new WholeRequest(call, handler));
  else {
    const request = new WholeRequest(call, handler);
    // Interceptors may spread a listener, which leaves out what a class has.
    call.outermost.start({
      onReceiveMetadata: (metadata) => request.onReceiveMetadata(metadata),
      onReceiveMessage: (message) => request.onReceiveMessage(message),
      onReceiveHalfClose: () => request.onReceiveHalfClose(),
      onCancel: () => request.onCancel(),
    });
  }
}

/** One request: the handler is called when it is there, and the client has ended its side. */
class WholeRequest implements ServerListener {
  readonly #call: OwnServerCall;
  readonly #handler: Handler;
  #metadata: Metadata | undefined;
  #has = false;
  #message: unknown;
  #surface: UnaryCall | WritingCall | undefined;

  constructor(call: OwnServerCall, handler: Handler) {
    this.#call = call;
    this.#handler = handler;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.#call.outermost.startRead();
  }

  onReceiveMessage(message: unknown): void {
    if (this.#has) {
      this.#refuse("a second request message");
      return;
    }
    this.#has = true;
    this.#message = message;
    this.#call.outermost.startRead();
  }

  onReceiveHalfClose(): void {
    if (!this.#has) {
      this.#refuse("no request message");
      return;
    }
    const { path, type, func } = this.#handler;
    const call = this.#call.outermost;
    const request = this.#message;
    this.#message = undefined;
    if (type === "unary") {
      this.#surface = new UnaryCall(path, call, this.#metadata, request);
      run(call, func, this.#surface, answerOf(call));
    } else {
      const metadata = this.#metadata ?? this.#call.receivedMetadata();
      this.#surface = new WritingCall(path, call, metadata, request);
      run(call, func, this.#surface);
    }
  }

  onCancel(): void {
    cancel(this.#surface);
  }

  #refuse(what: string): void {
    const details = `Received ${what} for method ${this.#handler.path}`;
    this.#call.outermost.sendStatus(status(Code.UNIMPLEMENTED, details));
  }
}

/** Many requests: the handler is called at once, and reads them. */
function streamed(own: OwnServerCall, handler: Handler): void {
  const call = own.outermost;
  let surface: ReadingCall | BothCall | undefined;
  call.start({
    onReceiveMetadata(metadata) {
      if (handler.type === "clientStream") {
        surface = new ReadingCall(handler.path, call, metadata);
        run(call, handler.func, surface, answerOf(call));
      } else {
        surface = new BothCall(handler.path, call, metadata);
        run(call, handler.func, surface);
      }
    },
    onReceiveMessage: (message) => surface?.receive(message, own.lastBytes),
    onReceiveHalfClose: () => void surface?.push(null),
    onCancel: () => cancel(surface),
  });
}

function answerOf(call: Call): Answer {
  return (error, value, trailer) => {
    if (error) {
      call.sendStatus(errorStatus(error, trailer));
      return;
    }
    call.sendMessage(value, () =>
      call.sendStatus({ code: Code.OK, details: "OK", metadata: trailer ?? null }),
    );
  };
}

function run(call: Call, func: HandlerFunction, surface: unknown, answer?: Answer): void {
  try {
    func(surface, answer);
  } catch {
    // What a handler throws is its own affair: grpc-js does not tell the client, either.
    call.sendStatus(status(Code.UNKNOWN, "Unknown error"));
  }
}

/** Tells the handler that the call is over, answered or not. */
function cancel(surface: UnaryCall | ReadingCall | WritingCall | BothCall | undefined): void {
  if (surface === undefined) return;
  surface.cancelled = true;
  (surface as EventEmitter).emit("cancelled", "cancelled");
  if (!(surface instanceof UnaryCall)) surface.destroy();
}

function status(code: number, details: string): PartialStatusObject {
  return { code, details, metadata: null };
}
