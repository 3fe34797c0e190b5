import type { EventEmitter } from "node:events";
import type {
  Metadata,
  ServerErrorResponse,
  ServerInterceptingCallInterface,
  ServerInterceptor,
  StatusObject,
} from "@grpc/grpc-js";
import type { ServerCodec } from "./server-call.js";
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
  readonly codec: ServerCodec;
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

/**
 * Runs a handler for a call, as grpc-js does for each of the four kinds.
 * @param lastBytes how long the message was that came last
 */
export function handle(call: Call, handler: Handler, lastBytes: () => number): void {
  if (handler.type === "unary" || handler.type === "serverStream") whenWhole(call, handler);
  else streamed(call, handler, lastBytes);
}

/** One request: the handler is called when it is there, and the client has ended its side. */
function whenWhole(call: Call, handler: Handler): void {
  let metadata: Metadata;
  let request: { readonly message: unknown } | undefined;
  let surface: UnaryCall | WritingCall | undefined;
  const refuse = (what: string): void =>
    call.sendStatus(status(Code.UNIMPLEMENTED, `Received ${what} for method ${handler.path}`));
  call.start({
    onReceiveMetadata(received) {
      metadata = received;
      call.startRead();
    },
    onReceiveMessage(message) {
      if (request !== undefined) {
        refuse("a second request message");
        return;
      }
      request = { message };
      call.startRead();
    },
    onReceiveHalfClose() {
      if (request === undefined) {
        refuse("no request message");
        return;
      }
      if (handler.type === "unary") {
        surface = new UnaryCall(handler.path, call, metadata, request.message);
        run(call, () => handler.func(surface, answerOf(call)));
      } else {
        surface = new WritingCall(handler.path, call, metadata, request.message);
        run(call, () => handler.func(surface));
      }
    },
    onCancel: () => cancel(surface),
  });
}

/** Many requests: the handler is called at once, and reads them. */
function streamed(call: Call, handler: Handler, lastBytes: () => number): void {
  let surface: ReadingCall | BothCall | undefined;
  call.start({
    onReceiveMetadata(metadata) {
      if (handler.type === "clientStream") {
        surface = new ReadingCall(handler.path, call, metadata);
        run(call, () => handler.func(surface, answerOf(call)));
      } else {
        surface = new BothCall(handler.path, call, metadata);
        run(call, () => handler.func(surface));
      }
    },
    onReceiveMessage: (message) => surface?.receive(message, lastBytes()),
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

function run(call: Call, handler: () => void): void {
  try {
    handler();
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
