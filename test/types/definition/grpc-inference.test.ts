// Checked by the compiler: what gRPC definitions infer, and what must not compile.
import * as protobuf from "@bufbuild/protobuf";
import {
  type ClientFace,
  type GrpcServerParts,
  grpcPlugin,
  promiseHandlers,
  protobufPlugin,
} from "../../../src/index.js";
import { type GetResponse, KV } from "../../interop/gen/es/kv_pb.js";
import { KVService } from "../../interop/gen/kv.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const hosted = grpcPlugin({ client: ({ conn }) => conn.protobuf(KV, protobuf) });
const served = grpcPlugin({ server: (_: GrpcServerParts<{ get(): string }>) => {} });
const both = grpcPlugin({ client: () => 5, server: (_: GrpcServerParts<string>) => {} });
const kv = protobufPlugin(KV, protobuf);

same<Awaited<ReturnType<ClientFace<typeof hosted>["get"]>>, GetResponse>(true);
same<Awaited<ReturnType<ClientFace<typeof kv>["get"]>>, GetResponse>(true);
same<ClientFace<typeof both>, number>(true);
same<ClientFace<typeof served>, never>(true);

/** Never called: it is the compiler that reads it. */
export function typed(): void {
  served.implement({ get: () => "x" });
  // @ts-expect-error an implementation has get
  served.implement({});
  // @ts-expect-error there is no server to implement
  hosted.implement({});
  both.implement("x");
  // @ts-expect-error an implementation is a string
  both.implement(5);
  kv.implement({ get: ({ key }) => ({ value: Buffer.from(key) }), put: () => {} });
  // @ts-expect-error value is bytes
  kv.implement({ get: () => ({ value: 5 }) });
  // @ts-expect-error get has an answer
  kv.implement({ get: () => {} });
  // @ts-expect-error there is no such method
  kv.implement({ remove: () => {} });
  promiseHandlers(KVService, { get: async ({ key }) => ({ value: Buffer.from(key) }) });
  // @ts-expect-error value is missing
  promiseHandlers(KVService, { get: async () => ({}) });
  // @ts-expect-error there is no such method
  promiseHandlers(KVService, { remove: async () => ({}) });
}
