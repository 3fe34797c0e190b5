import type { Server } from "@grpc/grpc-js";

/**
 * A server to add services to: `addService` takes what ts-proto, grpc-tools and proto-loader generate, with handlers as
 * grpc-js has them, and needs that package; `addProtobufService` adds protobuf-es's services without it.
 */
export type GrpcServer = Pick<Server, "addService" | "removeService" | "register" | "unregister">;

/** Adds services to a server; a function that is written for grpc-js's class will do. */
export type RegisterServices = {
  /** A method, because of methods alone TypeScript lets parameters be narrower. */
  bivariant(server: GrpcServer): void | Promise<void>;
}["bivariant"];
