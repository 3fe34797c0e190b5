import type { ClientOptions, Interceptor, InterceptorProvider } from "@grpc/grpc-js";

/** What grpc-js's clients take as their `channelOverride`. */
export type GrpcChannel = NonNullable<ClientOptions["channelOverride"]>;

/** The interceptors of a call, as grpc-js's call options have them. */
export interface Interceptors {
  readonly interceptors?: readonly Interceptor[] | undefined;
  readonly interceptor_providers?: readonly InterceptorProvider[] | undefined;
}
