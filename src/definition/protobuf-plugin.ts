import type { ProtobufClient } from "../grpc/protobuf-client.js";
import { addProtobufService, type ProtobufHandlers } from "../grpc/protobuf-handlers.js";
import type { ProtobufRuntime, ServiceDescriptor } from "../grpc/protobuf-service.js";
import { type GrpcDefinition, grpcPlugin } from "./grpc-plugin.js";

/**
 * Defines a gRPC plugin type by a service that protobuf-es generated: `dispense` gives its typed client, `implement`
 * takes its methods. For more than one service, or another face, use {@link grpcPlugin}. The runtime is the module
 * `@bufbuild/protobuf` that the generated code uses.
 *
 * @example
 * import * as protobuf from "@bufbuild/protobuf";
 * const kv = protobufPlugin(KV, protobuf);
 */
export function protobufPlugin<S extends ServiceDescriptor>(
  service: S,
  runtime: ProtobufRuntime,
): GrpcDefinition<ProtobufClient<S>, ProtobufHandlers<S>> {
  return grpcPlugin<ProtobufClient<S>, ProtobufHandlers<S>>({
    client: ({ conn }) => conn.protobuf(service, runtime),
    server: ({ server, impl }) => addProtobufService(server, service, runtime, impl),
  });
}
