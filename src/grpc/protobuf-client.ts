import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { CallCredentials, CallOptions, Interceptor, InterceptorProvider } from "@grpc/grpc-js";
import { badOption } from "../errors.js";
import { isObject } from "../options.js";
import type { WaitOptions } from "../wait.js";
import type { CallSettings, ResponseListeners } from "./call-settings.js";
import type { Calls, ParentCall } from "./calls.js";
import type { GrpcChannel } from "./grpc-js-types.js";
import { hasInterceptors, interceptedCalls } from "./intercepted.js";
import type { Input } from "./invocation.js";
import { callForMany, callForOne } from "./invoke.js";
import type { MetadataInit } from "./metadata.js";
import type { Method } from "./method.js";
import {
  type AnyMessage,
  checkRuntime,
  methodsOfService,
  type ProtobufRuntime,
  type ServiceDescriptor,
} from "./protobuf-service.js";
import type { Messages } from "./write-messages.js";

/** Options of a call through a {@link ProtobufClient}. */
export interface ProtobufCallOptions extends WaitOptions, ResponseListeners {
  /** Sent with the request. */
  readonly metadata?: MetadataInit | undefined;
  /** Add to the metadata, at each call anew. */
  readonly credentials?: CallCredentials | undefined;
  /** The authority that the server is told, in place of the connection's own. */
  readonly host?: string | undefined;
  /** A handler's call (`context.call`), which this one ends with: with its deadline, and when it is cancelled. */
  readonly parent?: CallOptions["parent"] | undefined;
  /** What comes from the parent: grpc-js's `propagate` flags. Default: all. */
  readonly propagate_flags?: number | undefined;
  /** grpc-js's client interceptors, which get that package's objects, and need it. */
  readonly interceptors?: Interceptor[] | undefined;
  /** The same, chosen by the method's definition. */
  readonly interceptor_providers?: InterceptorProvider[] | undefined;
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
 * The methods of a service: promises for single answers, async iterables for streams. Errors are {@link GrpcCallError}s:
 * `code` is the gRPC status, `cause` what is known of the reason, such as what the caller's own input threw. A fired
 * signal is an AbortedError.
 */
export type ProtobufClient<S extends ServiceDescriptor> = {
  readonly [K in keyof S["method"]]: Call<S["method"][K]>;
};

type AnyInit = MessageInitShape<DescMessage>;

/** Makes the typed client of a protobuf-es service on a connection. */
export function protobufClient<S extends ServiceDescriptor>(
  connection: MadeOn,
  service: S,
  runtime: ProtobufRuntime,
): ProtobufClient<S> {
  checkRuntime(runtime, ["create"]);
  const definitions = methodsOfService(service, runtime);
  const methods = service.methods.map((method) => [
    method.localName,
    caller(connection, definitions[method.localName]!, (init: AnyInit) => runtime.create(method.input, init)),
  ]);
  return Object.fromEntries(methods) as ProtobufClient<S>;
}

/** What a client makes its calls on. */
interface MadeOn {
  readonly calls: Calls;
  /** For calls with grpc-js's interceptors. */
  readonly channel: GrpcChannel;
}

type EsMethod = Method<AnyMessage, AnyMessage>;
type Create = (init: AnyInit) => AnyMessage;

function caller(connection: MadeOn, method: EsMethod, create: Create): unknown {
  // A message is made, and its bytes, when it is its turn.
  const creating = {
    ...method,
    requestSerialize(init: AnyInit) {
      // Nothing at all stands for the message without fields, as in create().
      if (init !== undefined && !isObject(init)) throw badOption("request", "an object of its fields", init);
      return method.requestSerialize(create(init));
    },
  };
  const make = method.responseStream ? callForMany : callForOne;
  const call = (given: AnyInit & Messages<AnyInit>, options: ProtobufCallOptions = {}): unknown => {
    const input: Input<AnyInit> = method.requestStream ? { many: given } : { one: given };
    const { calls, channel } = connection;
    // What cannot be used is the call's error.
    const settings = isObject(options) ? settingsOf(options) : options;
    const way =
      isObject(options) && hasInterceptors(options) ? interceptedCalls(channel, method, options) : calls;
    return make(way, creating, input, settings, call);
  };
  return call;
}

function settingsOf({
  metadata,
  credentials,
  host,
  parent,
  propagate_flags: propagateFlags,
  timeout,
  signal,
  onHeader,
  onTrailer,
}: ProtobufCallOptions): CallSettings {
  return {
    metadata,
    credentials,
    host,
    parent: parent as ParentCall | undefined,
    propagateFlags,
    timeout,
    signal,
    onHeader,
    onTrailer,
  };
}
