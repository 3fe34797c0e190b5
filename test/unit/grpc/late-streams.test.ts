// A host may open its streams just when the plugin is told to stop: they must not hold up its end.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { BrokerStream } from "../../../src/grpc/broker-stream.js";
import { HealthService } from "../../../src/grpc/health-service.js";
import { StdioService } from "../../../src/grpc/stdio-service.js";

/** A call of the host, as far as the services look at it. */
function call(): PassThrough {
  return Object.assign(new PassThrough({ objectMode: true }), { request: { service: "" } });
}

const silent = { attach: () => ({ ready() {}, detach() {} }) };

test("output, health and broker streams that come after the end began are ended at once", () => {
  const stdio = new StdioService(silent, silent);
  const health = new HealthService();
  const broker = new BrokerStream();
  const early = { stdio: call(), health: call(), broker: call() };
  stdio.streamStdio(early.stdio as never);
  health.watch(early.health as never);
  broker.attach(early.broker as never);
  for (const stream of Object.values(early)) assert.equal(stream.writableEnded, false);
  for (const service of [stdio, health, broker]) service.close();
  const late = { stdio: call(), health: call(), broker: call() };
  stdio.streamStdio(late.stdio as never);
  health.watch(late.health as never);
  broker.attach(late.broker as never);
  for (const stream of [...Object.values(early), ...Object.values(late)]) {
    assert.equal(stream.writableEnded, true);
  }
});
