// What becomes of a call whose connection is closed on this side, over either transport.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import * as protobuf from "@bufbuild/protobuf";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { connectGrpc } from "../../../src/grpc/connection.js";
import { protobufService } from "../../../src/grpc/protobuf-service.js";
import { Injector, makeServer, stopServer } from "../../../src/grpc/server.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import { Stream } from "../../interop/gen/es/stream_pb.js";
import { listenPath } from "../../support.js";

for (const transport of ["goplug", "grpc-js"] as const) {
  test(`a call that nobody answers ends with its connection: ${transport}`, async () => {
    const server = await makeServer(undefined);
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const silent = { source: () => arrive(), sink: () => arrive(), mirror: () => arrive() };
    server.addService(protobufService(Stream, protobuf), silent as unknown as UntypedServiceImplementation);
    const injector = new Injector(server, undefined, nullLogger);
    const listener = createServer((connection) => injector.inject(connection));
    const address = listenPath(tmpdir(), `goplug-closed-${process.pid}-${transport}`);
    await new Promise<void>((resolve) => listener.listen(address, resolve));
    after(async () => {
      listener.close();
      await stopServer(server, injector, 0);
    });
    const signal = AbortSignal.timeout(10_000);
    const conn = await connectGrpc({ network: "unix", address }, { transport, signal });
    const call = conn.protobuf(Stream, protobuf).sink([]);
    const ended = assert.rejects(call, { code: 14 });
    await arrived;
    conn.close();
    await ended;
  });
}
