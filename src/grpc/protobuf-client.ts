import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { AbortedError } from "../errors.js";
import { onceCut, type WaitOptions, waitFor } from "../wait.js";
import { deadlineOf } from "./call.js";
import {
  type AnyMessage,
  type ProtobufRuntime,
  protobufService,
  type ServiceDescriptor,
} from "./protobuf-service.js";
import { readMessages } from "./read-messages.js";
import { type Messages, writeMessages } from "./write-messages.js";

/** Options of a call through a {@link ProtobufClient}. */
export interface ProtobufCallOptions extends Omit<CallOptions, "deadline">, WaitOptions {
  /** Sent with the request. */
  readonly metadata?: Metadata | undefined;
}

type Call<M> = M extends {
  methodKind: "unary";
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? (input: MessageInitShape<I>, options?: ProtobufCallOptions) => Promise<MessageShape<O>>
  : M extends {
        methodKind: "server_streaming";
        input: infer I extends DescMessage;
        output: infer O extends DescMessage;
      }
    ? (input: MessageInitShape<I>, options?: ProtobufCallOptions) => AsyncIterable<MessageShape<O>>
    : M extends {
          methodKind: "client_streaming";
          input: infer I extends DescMessage;
          output: infer O extends DescMessage;
        }
      ? (input: Messages<MessageInitShape<I>>, options?: ProtobufCallOptions) => Promise<MessageShape<O>>
      : M extends { input: infer I extends DescMessage; output: infer O extends DescMessage }
        ? (
            input: Messages<MessageInitShape<I>>,
            options?: ProtobufCallOptions,
          ) => AsyncIterable<MessageShape<O>>
        : never;

/**
 * The methods of a service: promises for single answers, async iterables for streams. Errors are grpc-js's
 * ServiceError (`code` is the gRPC status), with a `cause` where there is one: what the caller's own input threw. A
 * fired signal is an AbortedError.
 */
export type ProtobufClient<S extends ServiceDescriptor> = {
  readonly [K in keyof S["method"]]: Call<S["method"][K]>;
};

type AnyInit = MessageInitShape<DescMessage>;

/** Makes the typed client of a protobuf-es service on a grpc-js client. */
export function protobufClient<S extends ServiceDescriptor>(
  client: Client,
  service: S,
  runtime: ProtobufRuntime,
): ProtobufClient<S> {
  const definitions = protobufService(service, runtime);
  const methods = service.methods.map((method) => [
    method.localName,
    caller(client, definitions[method.localName]!, (init: AnyInit) => runtime.create(method.input, init)),
  ]);
  return Object.fromEntries(methods) as ProtobufClient<S>;
}

type Definition = MethodDefinition<AnyMessage, AnyMessage>;
type Create = (init: AnyInit) => AnyMessage;

function caller(client: Client, definition: Definition, create: Create): unknown {
  const { path, requestStream, responseStream, requestSerialize, responseDeserialize } = definition;
  const codec = [path, requestSerialize, responseDeserialize] as const;
  if (responseStream) {
    return (input: AnyInit & Messages<AnyInit>, options: ProtobufCallOptions = {}) => {
      const { signal } = options;
      if (signal?.aborted) return failing(new AbortedError(`the call of ${path}`, signal.reason));
      const [metadata, rest] = callOptions(options);
      if (!requestStream) {
        return answers(client.makeServerStreamRequest(...codec, create(input), metadata, rest), path, signal);
      }
      const call = client.makeBidiStreamRequest(...codec, metadata, rest);
      return answers(call, path, signal, feed(call, input, create));
    };
  }
  return (input: AnyInit & Messages<AnyInit>, options: ProtobufCallOptions = {}) =>
    waitFor({ what: `the call of ${path}`, signal: options.signal }, (resolve, reject) => {
      const [metadata, rest] = callOptions(options);
      let fed: Fed | undefined;
      const done = (error: ServiceError | null, answer?: AnyMessage): void => {
        if (error === null) resolve(answer);
        else reject(fed?.explain(error) ?? error);
      };
      const call = requestStream
        ? client.makeClientStreamRequest(...codec, metadata, rest, done)
        : client.makeUnaryRequest(...codec, create(input), metadata, rest, done);
      if (requestStream) fed = feed(call as ClientWritableStream<AnyMessage>, input, create);
      return (cut) => {
        if (cut !== undefined) call.cancel();
      };
    });
}

function callOptions({
  signal: _,
  timeout,
  metadata = new Metadata(),
  ...rest
}: ProtobufCallOptions): [Metadata, CallOptions] {
  return [metadata, { ...rest, ...deadlineOf(timeout) }];
}

type Writing = ClientWritableStream<AnyMessage> | ClientDuplexStream<AnyMessage, AnyMessage>;

/** The caller's messages on their way into the call. */
interface Fed {
  /** Makes the error of a call that the caller's own input has ended tell so. */
  explain(error: ServiceError): ServiceError;
}

/** Writes what the caller gives; the input's failure ends the call. */
function feed(call: Writing, inputs: Messages<AnyInit>, create: Create): Fed {
  let failure: { readonly cause: unknown } | undefined;
  const { done, stop } = writeMessages(call, inputs, create);
  call.once("status", stop);
  done.then(
    (all) => {
      if (all) call.end();
    },
    (cause: unknown) => {
      failure = { cause };
      call.cancel();
    },
  );
  return { explain: (error) => (failure === undefined ? error : inputFailed(error, failure.cause)) };
}

function inputFailed({ code, metadata }: ServiceError, cause: unknown): ServiceError {
  const details = `the caller's input failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  const error = new Error(`${code} ${status[code]}: ${details}`, { cause });
  return Object.assign(error, { code, details, metadata });
}

function answers(
  call: ClientReadableStream<AnyMessage>,
  path: string,
  signal: AbortSignal | undefined,
  fed?: Fed,
): AsyncIterableIterator<AnyMessage> {
  const messages = readMessages<AnyMessage, ServiceError>(call, () => call.cancel(), fed?.explain);
  const release = onceCut({ what: `the call of ${path}`, signal }, (error) => {
    messages.fail(error);
    call.cancel();
  });
  call.once("status", release);
  return messages;
}

function failing(error: Error): AsyncIterableIterator<never> {
  return {
    next: () => Promise.reject(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
