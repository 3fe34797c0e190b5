// gRPC definitions with one face only.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type GrpcClientParts, type GrpcServerParts, grpcPlugin } from "../../../src/index.js";

test("a definition without a server dispenses, and says what is missing when it is implemented", async () => {
  const hosted = grpcPlugin({ client: () => "client" });
  assert.equal(await hosted.grpcClient({} as GrpcClientParts), "client");
  const { implement } = hosted as unknown as { implement(implementation: object): void };
  assert.throws(() => implement({}), /no server/);
  assert.throws(() => hosted.grpcServer({} as never), /no implementation/);
});

test("a definition without a client serves, and says what is missing when it is dispensed", async () => {
  const added: unknown[] = [];
  const served = grpcPlugin({ server: ({ impl }: GrpcServerParts<string>) => added.push(impl) });
  await served.implement(() => "made").grpcServer({ broker: {}, server: {} } as never);
  assert.deepEqual(added, ["made"]);
  assert.throws(() => served.grpcClient({} as GrpcClientParts), /no client/);
  assert.throws(() => served.implement("x").grpcClient({} as GrpcClientParts), /no client/);
});
