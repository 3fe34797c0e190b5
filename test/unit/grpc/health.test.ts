// The health service as grpc-go's answers (health/server.go).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, status } from "@grpc/grpc-js";
import { unary } from "../../../src/grpc/call.js";
import type { OpenConnection } from "../../../src/grpc/connection.js";
import { HealthCheckResponse_ServingStatus as Serving } from "../../../src/grpc/gen/grpc/health/v1/health.js";
import { healthMethods } from "../../../src/grpc/own-services.js";
import { grpcPair } from "../../../src/testing/index.js";

test("the plugin and the whole server serve; other names are unknown, to check and to watch", async () => {
  await using pair = await grpcPair(() => {});
  const client = pair.conn.client(Client);
  const { calls } = pair.conn as OpenConnection;
  for (const service of ["", "plugin"]) {
    const answer = await unary(calls, healthMethods.check, { service });
    assert.equal(answer.status, Serving.SERVING);
  }
  await assert.rejects(unary(calls, healthMethods.check, { service: "kv" }), {
    status: status.NOT_FOUND,
    details: "unknown service",
  });
  const { path, requestSerialize, responseDeserialize } = healthMethods.watch;
  for (const [service, expected] of [
    ["plugin", Serving.SERVING],
    ["kv", Serving.SERVICE_UNKNOWN],
  ] as const) {
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
    call.on("error", () => {});
    const [answer] = (await new Promise((resolve) => call.once("data", (...given) => resolve(given)))) as [
      { status: number },
    ];
    assert.equal(answer.status, expected);
    call.cancel();
  }
});
