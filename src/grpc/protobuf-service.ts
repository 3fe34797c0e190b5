import type {
  DescMessage,
  DescMethod,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { badOption } from "../errors.js";
import { asBuffer, type Method } from "./method.js";

/** A service as protobuf-es (protoc-gen-es, version 2) generates them. */
export type ServiceDescriptor = DescService;

/** The functions of `@bufbuild/protobuf` that are needed here: give the module itself. */
export interface ProtobufRuntime {
  /** Makes a message; fields that are not given are empty. */
  create<D extends DescMessage>(schema: D, init?: MessageInitShape<D>): MessageShape<D>;
  /** Encodes a message. */
  toBinary<D extends DescMessage>(schema: D, message: MessageShape<D>): Uint8Array;
  /** Decodes a message; throws on bytes that are none. */
  fromBinary<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D>;
}

/** Where a definition keeps its file's descriptor, for reflection. */
export const descriptorFile: unique symbol = Symbol.for("goplug.descriptorFile");

export type AnyMessage = MessageShape<DescMessage>;

/** Checks a service, for those whose compiler did not. @throws OptionError */
export function checkService(service: unknown): void {
  const { typeName, methods } = (service ?? {}) as Partial<ServiceDescriptor>;
  if (typeof typeName !== "string" || !Array.isArray(methods))
    throw badOption("service", "a service that protoc-gen-es (version 2) has generated", service);
}

/** Checks that a runtime has the functions that are needed of it. @throws OptionError */
export function checkRuntime(runtime: unknown, needed: readonly (keyof ProtobufRuntime)[]): void {
  const given = (runtime ?? {}) as Partial<ProtobufRuntime>;
  if (needed.some((name) => typeof given[name] !== "function"))
    throw badOption(
      "runtime",
      'the module @bufbuild/protobuf, as in import * as protobuf from "@bufbuild/protobuf"',
      runtime,
    );
}

/** The methods of a protobuf-es service. @throws OptionError - the service or the runtime is none */
export function methodsOfService(
  service: ServiceDescriptor,
  runtime: Omit<ProtobufRuntime, "create">,
): Readonly<Record<string, Method<AnyMessage, AnyMessage>>> {
  checkService(service);
  checkRuntime(runtime, ["toBinary", "fromBinary"]);
  const { toBinary, fromBinary } = runtime;
  const serialize = (schema: DescMessage) => (message: AnyMessage) => asBuffer(toBinary(schema, message));
  const deserialize = (schema: DescMessage) => (bytes: Buffer) => fromBinary(schema, bytes);
  const define = (method: DescMethod): Method<AnyMessage, AnyMessage> => ({
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: serialize(method.input),
    requestDeserialize: deserialize(method.input),
    responseSerialize: serialize(method.output),
    responseDeserialize: deserialize(method.output),
  });
  const methods = Object.fromEntries(service.methods.map((method) => [method.localName, define(method)]));
  return Object.assign(methods, { [descriptorFile]: service.file });
}

/**
 * The definition of a protobuf-es service for grpc-js: for `server.addService` on the plugin's side. Handlers get and
 * give whole messages (`create(Schema, …)`).
 */
export function protobufService(
  service: ServiceDescriptor,
  runtime: Omit<ProtobufRuntime, "create">,
): ServiceDefinition {
  return methodsOfService(service, runtime);
}
