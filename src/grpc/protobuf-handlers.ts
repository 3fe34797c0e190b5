import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { shown } from "../errors.js";
import { GrpcError } from "./errors.js";
import type { GrpcServer } from "./grpc-server.js";
import type { HandlerContext } from "./handler-context.js";
import { handlerOf } from "./promise-handlers.js";
import { methodsOfService, type ProtobufRuntime, type ServiceDescriptor } from "./protobuf-service.js";
import { GrpcStatus } from "./status.js";
import type { OwnServer } from "./transport/own-server.js";
import type { Messages } from "./write-messages.js";

type Awaitable<T> = T | Promise<T>;

type Handler<M> = M extends {
  methodKind: infer Kind;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? (
      request: Kind extends "unary" | "server_streaming" ? MessageShape<I> : AsyncIterable<MessageShape<I>>,
      context: HandlerContext,
    ) => Awaitable<Kind extends "unary" | "client_streaming" ? Answer<O> : Messages<MessageInitShape<O>>>
  : never;

/** A handler may return nothing for a message without fields. */
type Answer<O extends DescMessage> =
  | MessageInitShape<O>
  | (keyof MessageShape<O> extends "$typeName" | "$unknown" ? void : never);

/**
 * The implementation of a protobuf-es service: promises for single answers, iterables for streams, the fields of
 * answers as `create` takes them. Methods that are missing answer UNIMPLEMENTED. What a method throws is the call's
 * status, see GrpcError.
 */
export type ProtobufHandlers<S extends ServiceDescriptor> = {
  readonly [K in keyof S["method"]]?: Handler<S["method"][K]>;
};

/**
 * Adds a protobuf-es service to a server (a plugin's, or a brokered one); the counterpart of `conn.protobuf`. The
 * runtime is the module `@bufbuild/protobuf` that the generated code uses.
 */
export function addProtobufService<S extends ServiceDescriptor>(
  server: Pick<GrpcServer, "addService">,
  service: S,
  runtime: ProtobufRuntime,
  implementation: ProtobufHandlers<S>,
): void {
  const definition = methodsOfService(service, runtime);
  const given = implementation as Record<string, ((...args: never[]) => unknown) | undefined>;
  const handlers: UntypedServiceImplementation = {};
  for (const { localName, output } of service.methods) {
    const handle = given[localName]?.bind(implementation);
    if (handle === undefined) continue;
    const { path } = definition[localName]!;
    const create = (answer: MessageInitShape<DescMessage> | undefined) => {
      const isMessage = typeof answer === "object" && answer !== null;
      const mayBeNothing = answer === undefined && output.fields.length === 0;
      if (isMessage || mayBeNothing) return runtime.create(output, answer);
      const details = `the handler of ${path} gave ${shown(answer)} where it must give a ${output.typeName}`;
      const error = new GrpcError(GrpcStatus.INTERNAL, details);
      (server as Partial<OwnServer>).onBadAnswer?.(path, error);
      throw error;
    };
    handlers[localName] = handlerOf(
      definition[localName]!,
      handle as Parameters<typeof handlerOf>[1],
      create,
    );
  }
  // Not by its class, which would load the transport into every program that imports goplug.
  if ("addOwnService" in server) (server as OwnServer).addOwnService(definition, handlers);
  else server.addService(definition, handlers);
}
