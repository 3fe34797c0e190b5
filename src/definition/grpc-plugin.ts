import { badOption, OptionError } from "../errors.js";
import type { GRPCBroker } from "../grpc/broker.js";
import type { GrpcConnection } from "../grpc/connection.js";
import type { GrpcServer } from "../grpc/grpc-server.js";
import { calling, checkOptions, isObject } from "../options.js";
import { unimplemented } from "./unimplemented.js";

/** What a gRPC definition's `client` face is made of. */
export interface GrpcClientParts {
  /** The connection to the plugin; makes generated clients. */
  readonly conn: GrpcConnection;
  /** Serves callbacks to the plugin, and dials what the plugin serves. */
  readonly broker: GRPCBroker;
  /** Fires when the plugin has exited, or the host has disconnected. */
  readonly signal: AbortSignal;
}

/** What a gRPC definition's `server` registers its services with. */
export interface GrpcServerParts<I> {
  /** Takes services: by its `addService`, or `addProtobufService`. */
  readonly server: GrpcServer;
  /** What `implement` was given. */
  readonly impl: I;
  /** Dials what the host serves, and serves to the host. */
  readonly broker: GRPCBroker;
}

/** A plugin type as the gRPC protocol knows it (go-plugin: GRPCPlugin). */
export interface GrpcPlugin<Client = unknown> {
  /** Host: makes the face that `dispense` returns. */
  grpcClient(parts: GrpcClientParts): Client | Promise<Client>;
  /** Plugin: adds the services, once, before the plugin says that it is there. */
  grpcServer(parts: Omit<GrpcServerParts<never>, "impl">): void | Promise<void>;
}

/** The two faces of a gRPC plugin type. */
export interface GrpcFaces<C, I> {
  /** Host: makes what `dispense` returns. */
  readonly client: (parts: GrpcClientParts) => C | Promise<C>;
  /** Plugin: adds the services of an implementation to the server. */
  server(parts: GrpcServerParts<I>): unknown;
}

/** A gRPC plugin type that host and plugin share. */
export interface GrpcDefinition<C, I> extends GrpcPlugin<C> {
  /** Plugin: attaches the implementation; a function is called with the broker, once, when the plugin starts. */
  implement(implementation: I | ((broker: GRPCBroker) => I | Promise<I>)): GrpcPlugin<C>;
}

/**
 * Defines a plugin type that is served over gRPC. What it needs of grpc-js is given to the faces, so that a definition
 * costs nothing before gRPC is spoken. A program that is always the host may leave `server` out, one that is always
 * the plugin `client`.
 *
 * @example
 * const kv = grpcPlugin({
 *   client: ({ conn }) => conn.client(KVClient),
 *   server: ({ server, impl }: GrpcServerParts<KVServer>) => server.addService(KVService, impl),
 * });
 */
export function grpcPlugin<C, I>(faces: GrpcFaces<C, I>): GrpcDefinition<C, I>;
/** A plugin type that this program only hosts. */
export function grpcPlugin<C>(faces: Pick<GrpcFaces<C, never>, "client">): GrpcPlugin<C>;
/** A plugin type that this program only serves. */
export function grpcPlugin<I>(faces: Pick<GrpcFaces<never, I>, "server">): GrpcDefinition<never, I>;
export function grpcPlugin<C, I>(faces: Partial<GrpcFaces<C, I>>): GrpcDefinition<C, I> {
  if (!isObject(faces)) throw badOption("faces", "an object of client and server", faces);
  checkOptions(faces, { client: calling, server: calling });
  const { client, server } = faces;
  if (client === undefined && server === undefined)
    throw new OptionError("faces", "faces must have a client, a server, or both");
  const grpcClient =
    client ??
    (() => {
      throw new OptionError("plugins", "this plugin type has no client: grpcPlugin was called without one");
    });
  return {
    grpcClient,
    grpcServer: unimplemented,
    implement(implementation) {
      if (server === undefined) {
        throw new OptionError("plugins", "this plugin type has no server: grpcPlugin was called without one");
      }
      return {
        grpcClient,
        async grpcServer(parts) {
          const impl =
            typeof implementation === "function"
              ? await (implementation as (broker: GRPCBroker) => I | Promise<I>)(parts.broker)
              : implementation;
          await server({ ...parts, impl });
        },
      };
    },
  };
}
