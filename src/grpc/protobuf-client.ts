import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  type ClientReadableStream,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { AbortedError } from "../errors.js";
import {
  type AnyMessage,
  type ProtobufRuntime,
  protobufService,
  type ServiceDescriptor,
} from "./protobuf-service.js";

/** Options of a call through a {@link ProtobufClient}. */
export interface ProtobufCallOptions extends Omit<CallOptions, "deadline"> {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; default: no limit. */
  readonly timeout?: number | undefined;
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
      ? (input: Inputs<I>, options?: ProtobufCallOptions) => Promise<MessageShape<O>>
      : M extends { input: infer I extends DescMessage; output: infer O extends DescMessage }
        ? (input: Inputs<I>, options?: ProtobufCallOptions) => AsyncIterable<MessageShape<O>>
        : never;

type Inputs<I extends DescMessage> = AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>;

/** The methods of a service: promises for single answers, async iterables for streams. Errors are grpc-js's. */
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
type AnyInputs = AsyncIterable<AnyInit> | Iterable<AnyInit>;

function caller(client: Client, definition: Definition, create: Create): unknown {
  const { path, requestStream, responseStream, requestSerialize, responseDeserialize } = definition;
  const codec = [path, requestSerialize, responseDeserialize] as const;
  if (responseStream) {
    return (input: AnyInit & AnyInputs, options: ProtobufCallOptions = {}) => {
      const [metadata, rest] = callOptions(options);
      if (!requestStream) {
        return answers(client.makeServerStreamRequest(...codec, create(input), metadata, rest), options);
      }
      const call = client.makeBidiStreamRequest(...codec, metadata, rest);
      feed(call, input, create);
      return answers(call, options);
    };
  }
  return (input: AnyInit & AnyInputs, options: ProtobufCallOptions = {}) =>
    new Promise((resolve, reject) => {
      const [metadata, rest] = callOptions(options);
      const onAbort = (): void => {
        reject(new AbortedError(`the call of ${path}`, options.signal?.reason));
        call.cancel();
      };
      const done = (error: ServiceError | null, answer?: AnyMessage): void => {
        options.signal?.removeEventListener("abort", onAbort);
        if (error === null) resolve(answer);
        else reject(error);
      };
      const call = requestStream
        ? client.makeClientStreamRequest(...codec, metadata, rest, done)
        : client.makeUnaryRequest(...codec, create(input), metadata, rest, done);
      if (options.signal?.aborted) onAbort();
      options.signal?.addEventListener("abort", onAbort, { once: true });
      if (requestStream) feed(call as ReturnType<Client["makeClientStreamRequest"]>, input, create);
    });
}

function callOptions({
  signal: _,
  timeout,
  metadata = new Metadata(),
  ...rest
}: ProtobufCallOptions): [Metadata, CallOptions] {
  const deadline = timeout === undefined ? {} : { deadline: Date.now() + timeout };
  return [metadata, { ...rest, ...deadline }];
}

interface Writing {
  write(message: AnyMessage): boolean;
  end(): void;
  cancel(): void;
  once(event: "drain" | "close", listener: () => void): unknown;
  readonly destroyed: boolean;
}

/** Writes what the caller gives, no faster than it is taken; the caller's failure ends the call. */
function feed(call: object, inputs: AnyInputs, create: Create): void {
  const stream = call as Writing;
  const run = async (): Promise<void> => {
    for await (const init of inputs) {
      if (stream.destroyed) return;
      if (!stream.write(create(init))) {
        await new Promise<void>((resolve) => {
          stream.once("drain", resolve);
          stream.once("close", resolve);
        });
      }
    }
    stream.end();
  };
  run().catch(() => stream.cancel());
}

async function* answers(
  call: ClientReadableStream<AnyMessage>,
  { signal }: ProtobufCallOptions,
): AsyncGenerator<AnyMessage> {
  const onAbort = (): void => call.cancel();
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    yield* call as AsyncIterable<AnyMessage>;
  } catch (error) {
    if (signal?.aborted) throw new AbortedError("the call", signal.reason);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    call.cancel();
  }
}
