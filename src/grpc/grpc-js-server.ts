import type { Server, ServerOptions, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { GrpcJs } from "./load-grpc-js.js";
import type { Methods } from "./method.js";
import type { BadAnswer } from "./transport/own-server.js";

/** grpc-js's server on its own transport, which is given its connections. */
export interface GrpcJsServer extends Server {
  /** Told of the services that are added. */
  onService: (methods: Methods) => void;
  /** Told of answers that are no messages: a fault of the service's author. */
  onBadAnswer: BadAnswer;
  readonly injector: ReturnType<Server["createConnectionInjector"]>;
}

export function grpcJsServer(
  { Server, ServerCredentials }: GrpcJs,
  serverOptions: ServerOptions,
): GrpcJsServer {
  class Injectable extends Server implements GrpcJsServer {
    onService: (methods: Methods) => void = () => {};
    onBadAnswer: BadAnswer = () => {};
    // TLS is goplug's business, which pins AutoMTLS certificates; what comes to the server is secured already.
    readonly injector = this.createConnectionInjector(ServerCredentials.createInsecure());

    override addService(service: Methods, implementation: UntypedServiceImplementation): void {
      super.addService(service, implementation);
      this.onService(service);
    }

    override register<RequestType, ResponseType>(
      name: string,
      handler: unknown,
      serialize: (value: ResponseType) => Buffer,
      deserialize: (bytes: Buffer) => RequestType,
      type: string,
    ): boolean {
      const serializeAnswer = (value: ResponseType): Buffer => {
        try {
          return serialize(value);
        } catch (error) {
          this.onBadAnswer(name, error);
          throw error;
        }
      };
      return super.register(name, handler as never, serializeAnswer, deserialize, type);
    }
  }
  return new Injectable(serverOptions);
}
