// A gRPC plugin that is run by something else than go-plugin: its options, and how it drains.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as protobuf from "@bufbuild/protobuf";
import { Client, status } from "@grpc/grpc-js";
import { connectGrpc, type GrpcConnection } from "../../../src/grpc/connection.js";
import { healthMethods } from "../../../src/grpc/own-services.js";
import { nullLogger, protobufPlugin, serve } from "../../../src/index.js";
import { Stream } from "../../interop/gen/es/stream_pb.js";
import { handshakeConfig, until } from "../../interop/support.js";
import { startChild } from "./run-child.js";

const SERVING = 1;
const NOT_SERVING = 2;

/** The states that a watcher of the health service is told, until the stream ends. */
function watchHealth(connection: GrpcConnection, service: string): number[] {
  const { path, requestSerialize, responseDeserialize } = healthMethods.watch;
  const states: number[] = [];
  connection
    .client(Client)
    .makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service })
    .on("data", (answer) => states.push(answer.status))
    .on("error", () => {});
  return states;
}

test("on a port of the system's choice, told to the program, ended by SIGINT with a drain", async () => {
  const { child, done } = startChild("standalone.ts", [], {
    BASIC_PLUGIN: "hello",
    // What a host asks for is not heeded: the program has its own port.
    PLUGIN_MIN_PORT: "1",
    PLUGIN_MAX_PORT: "2",
  });
  let stdout = "";
  let log = "";
  child.stderr!.on("data", (text: string) => {
    log += text;
  });
  child.stdout!.on("data", (text: string) => {
    stdout += text;
  });
  await until("the handshake", () => stdout.includes("\n"));
  const [, , network, address, protocol] = stdout.trim().split("|");
  assert.deepEqual([network, protocol], ["tcp", "grpc"]);
  assert.match(address!, /^127\.0\.0\.1:\d+$/);
  assert.ok(Number(address!.split(":")[1]) > 2);

  const connection = await connectGrpc({ network: "tcp", address: address! });
  const client = connection.protobuf(Stream, protobuf);
  const health = ["", "plugin"].map((name) => watchHealth(connection, name));
  await until("the health of both names", () => health.every(([state]) => state === SERVING));
  await assert.rejects(client.sink([{ data: new Uint8Array(100_001) }]), { code: status.RESOURCE_EXHAUSTED });
  await assert.rejects(client.source({ bytes: 100_001n })[Symbol.asyncIterator]().next(), {
    code: status.RESOURCE_EXHAUSTED,
  });

  let finish = (): void => {};
  const chunks = async function* () {
    yield { data: Uint8Array.of(1, 2) };
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    yield { data: Uint8Array.of(3) };
  };
  const running = client.sink(chunks());
  await until("the call", () => log.includes("got a chunk"));
  child.kill("SIGINT");
  await until("the end of serving", () => health.every((states) => states.includes(NOT_SERVING)));
  finish();
  assert.equal((await running).bytes, 3n);
  connection.close();
  const { code, stderr } = await done;
  assert.equal(code, 3, stderr);
  assert.match(stderr, new RegExp(`"serving".*"address":"${address}","inherited":\\[\\],"network":"tcp"`));
  assert.match(stderr, /"serve has returned"/);
  assert.deepEqual(health, [
    [SERVING, NOT_SERVING],
    [SERVING, NOT_SERVING],
  ]);
});

test("a port that is none is refused before anything listens", async () => {
  const plugins = { stream: protobufPlugin(Stream, protobuf).implement({}) };
  for (const port of [-1, 1.5, 65_536, Number.NaN, "80" as unknown as number]) {
    const serving = serve({ handshakeConfig, plugins, network: "tcp", port, logger: nullLogger, test: {} });
    await assert.rejects(serving, { code: "ERR_OPTION", option: "port" });
  }
});

test("a program that throws when it is told where it serves ends the serving", async () => {
  const plugins = { stream: protobufPlugin(Stream, protobuf).implement({}) };
  let address = "";
  const onServing = (where: { readonly address: string }) => {
    address = where.address;
    throw new Error("not there");
  };
  const serving = serve({
    handshakeConfig,
    plugins,
    network: "tcp",
    logger: nullLogger,
    test: {},
    onServing,
  });
  await assert.rejects(serving, { message: "not there" });
  await assert.rejects(connectGrpc({ network: "tcp", address }), { code: "ERR_GRPC_CONNECT" });
});
