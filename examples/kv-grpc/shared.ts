import * as protobuf from "@bufbuild/protobuf";
import { type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { type GrpcServerParts, grpcPlugin, protobufService } from "goplug";
import {
  type Empty,
  EmptySchema,
  type GetRequest,
  type GetResponse,
  GetResponseSchema,
  KV,
  type PutRequest,
} from "./gen/kv_pb.js";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** What a plugin implements. */
export interface Store {
  put(key: string, value: Uint8Array): void;
  /** Undefined: there is no such key. */
  get(key: string): Uint8Array | undefined;
}

/** protobuf-es's code on both sides: a typed client for the host, a service definition for the plugin's server. */
export const kv = grpcPlugin({
  client: ({ conn }) => conn.protobuf(KV, protobuf),
  server({ server, impl }: GrpcServerParts<Store>) {
    server.addService(protobufService(KV, protobuf), {
      put({ request: { key, value } }: ServerUnaryCall<PutRequest, Empty>, answer: sendUnaryData<Empty>) {
        impl.put(key, value);
        answer(null, protobuf.create(EmptySchema));
      },
      get(
        { request: { key } }: ServerUnaryCall<GetRequest, GetResponse>,
        answer: sendUnaryData<GetResponse>,
      ) {
        const value = impl.get(key);
        if (value !== undefined) answer(null, protobuf.create(GetResponseSchema, { value }));
        else answer({ code: status.NOT_FOUND, details: `key not found: ${key}` });
      },
    });
  },
});
