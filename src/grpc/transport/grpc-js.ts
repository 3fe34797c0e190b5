import { createRequire } from "node:module";

type GrpcJs = typeof import("@grpc/grpc-js");

let loaded: GrpcJs | undefined;

/** grpc-js, loaded when it is first needed: whoever has a class that it generated has loaded it before. */
export function grpcJs(): GrpcJs {
  loaded ??= createRequire(import.meta.url)("@grpc/grpc-js") as GrpcJs;
  return loaded;
}
