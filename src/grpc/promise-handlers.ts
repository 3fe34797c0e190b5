import type { Readable } from "node:stream";
import type {
  Metadata,
  MethodDefinition,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { GrpcError, type HandlerStatus, statusOf } from "./errors.js";
import { HandlerCall, type HandlerContext, type ServerCall } from "./handler-context.js";
import type { MetadataLike } from "./metadata.js";
import { readMessages } from "./read-messages.js";
import { checkedMessages, type Messages, writeMessages } from "./write-messages.js";

type Awaitable<T> = T | Promise<T>;

/** A method's implementation: its request, or an async iterable of them, to its answer, or an iterable of them. */
export type PromiseHandler<M> = M extends {
  requestStream: infer Q;
  responseStream: infer A;
  requestDeserialize: (bytes: Buffer) => infer Request;
  responseSerialize: (value: infer Answer) => Buffer;
}
  ? (
      request: Q extends true ? AsyncIterable<Request> : Request,
      context: HandlerContext<Metadata>,
    ) => Awaitable<A extends true ? Messages<Answer> : Answer>
  : never;

/** The methods of a service that ts-proto or grpc-tools generated; those that are missing answer UNIMPLEMENTED. */
export type PromiseHandlers<S> = { readonly [K in keyof S]?: PromiseHandler<S[K]> };

/**
 * Makes grpc-js's handlers of methods that return promises and async iterables: for `server.addService` with a service
 * definition as ts-proto, grpc-tools and proto-loader make them. What a method throws is the call's status, see
 * {@link GrpcError}.
 *
 * @example
 * server.addService(KVService, promiseHandlers(KVService, {
 *   get: async ({ key }) => ({ value: await store.read(key) }),
 * }));
 */
export function promiseHandlers<S extends object>(
  definition: S,
  implementation: PromiseHandlers<S>,
): UntypedServiceImplementation {
  const given = implementation as Record<string, AnyHandler | undefined>;
  const handlers: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(definition as ServiceDefinition)) {
    // proto-loader's definitions have the .proto's spelling as well as the usual one.
    const key = given[name] === undefined && method.originalName !== undefined ? method.originalName : name;
    const handle = given[key]?.bind(implementation);
    if (handle !== undefined) handlers[name] = handlerOf(method, handle);
  }
  return handlers;
}

// biome-ignore lint/suspicious/noExplicitAny: what the messages are is the caller's business
type Any = any;
type Answering = ServerWritableStream<Any, Any> | ServerDuplexStream<Any, Any>;
type AnyHandler = (request: Any, context: HandlerContext) => unknown;
type AnswerOnce = (error: HandlerStatus | null, value?: unknown, trailer?: MetadataLike) => void;

/** @internal grpc-js's handler for one method. */
export function handlerOf(
  { requestStream, responseStream }: Pick<MethodDefinition<Any, Any>, "requestStream" | "responseStream">,
  handle: AnyHandler,
  /** Makes the message of what the handler answers. */
  prepare: (answer: Any) => unknown = (answer) => answer,
): (call: Any, answer: Any) => void {
  const requestOf = (call: ServerCall, context: HandlerCall): unknown =>
    requestStream
      ? requestsOf(call as ServerReadableStream<Any, Any>, context)
      : (call as ServerUnaryCall<Any, Any>).request;
  if (responseStream) {
    return (call: Answering) => {
      const context = new HandlerCall(call);
      void answerAll(call, context, async () => handle(requestOf(call, context), context), prepare);
    };
  }
  return (call: ServerUnaryCall<Any, Any> | ServerReadableStream<Any, Any>, answer: AnswerOnce) => {
    const context = new HandlerCall(call);
    void answerOnce(answer, context, async () => prepare(await handle(requestOf(call, context), context)));
  };
}

async function answerOnce(
  answer: AnswerOnce,
  context: HandlerCall,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    const value = await work();
    context.sendHeader();
    answer(null, value, context.usedTrailer);
  } catch (error) {
    context.sendHeader();
    answer(statusOf(error, context.usedTrailer));
  } finally {
    context.end();
  }
}

async function answerAll(
  call: Answering,
  context: HandlerCall,
  work: () => Promise<unknown>,
  prepare: (answer: Any) => unknown,
): Promise<void> {
  try {
    const answers = checkedMessages((await work()) as Messages<unknown>);
    const { done, stop } = writeMessages(call, answers, (answer) => {
      context.sendHeader();
      return prepare(answer);
    });
    context.onCancelled(stop);
    if (!(await done)) return;
    context.sendHeader();
    call.end(context.usedTrailer as never);
  } catch (error) {
    if (call.cancelled) return;
    context.sendHeader();
    // grpc-js's way of ending a stream with a status.
    call.emit("error", statusOf(error, context.usedTrailer) as never);
  } finally {
    context.end();
  }
}

function requestsOf(call: ServerReadableStream<Any, Any>, context: HandlerCall): AsyncIterable<unknown> {
  // A handler that reads no further may still answer.
  const requests = readMessages<unknown, Error>(call as Readable, () => {});
  context.onCancelled(() => requests.fail(new GrpcError(1, "the call was cancelled")));
  return requests;
}
