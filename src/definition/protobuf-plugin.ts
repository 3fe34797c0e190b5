import type { ProtobufClient } from "../grpc/protobuf-client.js";
import { addProtobufService, type ProtobufHandlers } from "../grpc/protobuf-handlers.js";
import {
  checkRuntime,
  checkService,
  type ProtobufRuntime,
  type ServiceDescriptor,
} from "../grpc/protobuf-service.js";
import { checkImplementation } from "./check-implementation.js";
import { type GrpcDefinition, grpcPlugin } from "./grpc-plugin.js";

/**
 * Defines a gRPC plugin type by a service that protobuf-es generated: `dispense` gives its typed client, `implement`
 * takes its methods. For more than one service, or another face, use {@link grpcPlugin}. The runtime is the module
 * `@bufbuild/protobuf` that the generated code uses.
 *
 * @throws OptionError - the service or the runtime is none; from `implement`, that it has something else than functions
 *
 * @example
 * import * as protobuf from "@bufbuild/protobuf";
 * const kv = protobufPlugin(KV, protobuf);
 */
export function protobufPlugin<S extends ServiceDescriptor>(
  service: S,
  runtime: ProtobufRuntime,
): GrpcDefinition<ProtobufClient<S>, ProtobufHandlers<S>> {
  checkService(service);
  checkRuntime(runtime, ["create", "toBinary", "fromBinary"]);
  const definition = grpcPlugin<ProtobufClient<S>, ProtobufHandlers<S>>({
    client: ({ conn }) => conn.protobuf(service, runtime),
    server: ({ server, impl }) => addProtobufService(server, service, runtime, impl),
  });
  const methods = service.methods.map(({ localName }) => localName);
  return {
    ...definition,
    implement(implementation) {
      // Methods that are missing answer UNIMPLEMENTED.
      if (typeof implementation !== "function") checkImplementation(methods, implementation, true);
      return definition.implement(implementation);
    },
  };
}
