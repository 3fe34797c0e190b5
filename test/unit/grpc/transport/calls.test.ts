// What grpc-js's API promises of calls, over goplug's transport and over grpc-js's own.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import {
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { connectGrpc } from "../../../../src/grpc/connection.js";
import type { GrpcTransport } from "../../../../src/grpc/grpc-connection.js";
import { type AnyServer, Injector, makeServer, stopServer } from "../../../../src/grpc/server.js";
import { nullLogger } from "../../../../src/hclog/logger.js";
import { listenPath } from "../../../support.js";

const identity = (bytes: Buffer): Buffer => bytes;
const service = {
  call: {
    path: "/test.Test/Call",
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};
type Handler = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;

let sockets = 0;

async function pair(transport: GrpcTransport, handler: Handler, options: Record<string, unknown> = {}) {
  const server = await makeServer(undefined, { transport });
  server.addService(service, { call: handler });
  return connectTo(server, transport, options);
}

async function connectTo(server: AnyServer, transport: GrpcTransport, options: Record<string, unknown> = {}) {
  const injector = new Injector(server, undefined, nullLogger);
  const address = listenPath(tmpdir(), `goplug-calls-${process.pid}-${++sockets}`);
  const listener = createServer((socket) => injector.inject(socket));
  await new Promise<void>((resolve) => listener.listen(address, resolve));
  const conn = await connectGrpc({ network: "unix", address }, { transport, options, redial: true });
  after(async () => {
    conn.close();
    listener.close();
    await stopServer(server, injector, 0);
  });
  const { Client } = await import("@grpc/grpc-js");
  const client = conn.client(Client);
  const call = (request: Buffer, metadata = new Metadata(), callOptions: object = {}): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        service.call.path,
        identity,
        identity,
        request,
        metadata,
        callOptions,
        (error, answer) => (error === null ? resolve(answer!) : reject(error)),
      );
    });
  return { conn, client, call, injector };
}

const echo: Handler = (call, answer) => answer(null, call.request);

for (const transport of ["goplug", "grpc-js"] as const) {
  test(`${transport}: the deadline ends the call here, and is told there`, async () => {
    let told = 0;
    const { call } = await pair(transport, (request) => {
      told = Number(request.getDeadline()) - Date.now();
    });
    await assert.rejects(call(Buffer.alloc(1), undefined, { deadline: Date.now() + 1500 }), { code: 4 });
    assert.ok(told > 0 && told <= 1600, `${told}`);
    await assert.rejects(call(Buffer.alloc(1), undefined, { deadline: Date.now() - 1 }), { code: 4 });
  });

  test(`${transport}: call credentials add metadata, and fail the call when they fail`, async () => {
    const { call } = await pair(transport, (request, answer) =>
      answer(null, Buffer.from(request.metadata.get("authorization").join())),
    );
    const granting = credentials.createFromMetadataGenerator(({ service_url }, done) => {
      const metadata = new Metadata();
      metadata.set("authorization", `for ${service_url.replace(/^https?/, "")}`);
      done(null, metadata);
    });
    // grpc-js sends them over secured connections alone.
    if (transport === "goplug") {
      const answer = await call(Buffer.alloc(1), undefined, { credentials: granting });
      assert.equal(answer.toString(), "for ://localhost/test.Test");
    }
    const refusing = credentials.createFromMetadataGenerator((_, done) => done(new Error("no token")));
    await assert.rejects(
      call(Buffer.alloc(1), undefined, { credentials: refusing }),
      (error: ServiceError) => transport === "grpc-js" || /no token/.test(error.details),
    );
  });

  test(`${transport}: a parent's cancellation and deadline are its children's`, async () => {
    const inner = await pair(transport, () => {});
    let child: Promise<unknown> | undefined;
    const outer = await pair(transport, (parent) => {
      child = inner.call(Buffer.alloc(1), undefined, { parent });
      child.catch(() => {});
    });
    const running = outer.client.makeUnaryRequest(
      service.call.path,
      identity,
      identity,
      Buffer.alloc(1),
      () => {},
    );
    while (child === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    running.cancel();
    await assert.rejects(child, { code: 1 });
    child = undefined;
    const limited = outer.call(Buffer.alloc(1), undefined, { deadline: Date.now() + 2000 });
    await assert.rejects(limited, { code: 4 });
    await assert.rejects(child!, (error: ServiceError) => error.code === 4 || error.code === 1);
  });

  test(`${transport}: interceptors see and change metadata, messages and status`, async () => {
    const { client } = await pair(transport, (request, answer) =>
      answer(null, Buffer.concat([request.request, Buffer.from(request.metadata.get("x-added").join())])),
    );
    const interceptor: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, _listener, next) {
          metadata.set("x-added", "by the interceptor");
          next(metadata, {
            onReceiveMessage: (message, pass) => pass(Buffer.concat([message, Buffer.from("!")])),
          });
        },
        sendMessage: (message, next) => next(Buffer.concat([message, Buffer.from(" ")])),
      });
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const options = { interceptors: [interceptor] };
      client.makeUnaryRequest(
        service.call.path,
        identity,
        identity,
        Buffer.from("sent"),
        options,
        (error, value) => (error === null ? resolve(value!) : reject(error)),
      );
    });
    assert.equal(answer.toString(), "sent by the interceptor!");
  });

  test(`${transport}: a handler may read its metadata when the call is over, and finds one object again`, async () => {
    let handled: ServerUnaryCall<Buffer, Buffer> | undefined;
    let tellOver: (() => void) | undefined;
    const over = new Promise<void>((resolve) => {
      tellOver = resolve;
    });
    const { call } = await pair(transport, (request, answer) => {
      handled = request;
      request.on("cancelled", tellOver!);
      answer(null, request.request);
    });
    const sent = new Metadata();
    sent.set("x-key", "value");
    await call(Buffer.from("sent"), sent);
    await over;
    const { metadata } = handled!;
    assert.deepEqual(metadata.get("x-key"), ["value"]);
    assert.equal(handled!.metadata, metadata);
    assert.ok(metadata instanceof Metadata);
    assert.deepEqual(metadata.get("content-type"), []);
  });

  test(`${transport}: a server's interceptor may spread the listener that it is given`, async () => {
    const seen: string[] = [];
    const interceptor: ServerInterceptor = (_method, next) =>
      new ServerInterceptingCall(next, {
        start(go) {
          go({
            onReceiveMetadata: (metadata, pass) => {
              seen.push("metadata");
              pass(metadata);
            },
          });
        },
      });
    const spreading = ((_method, next) => {
      const start = next.start.bind(next);
      next.start = (listener) =>
        start({
          ...listener,
          onReceiveMessage(message) {
            seen.push("message");
            listener.onReceiveMessage(message);
          },
        });
      return next;
    }) as ServerInterceptor;
    const server = await makeServer({ interceptors: [interceptor, spreading] }, { transport });
    server.addService(service, { call: echo });
    const { call } = await connectTo(server, transport);
    assert.equal((await call(Buffer.from("sent"))).toString(), "sent");
    assert.deepEqual(seen, ["metadata", "message"]);
  });

  test(`${transport}: limits of size, in both directions`, async () => {
    const limits = { "grpc.max_receive_message_length": 1000, "grpc.max_send_message_length": 2000 };
    const { call } = await pair(transport, (_, answer) => answer(null, Buffer.alloc(1500)), limits);
    await assert.rejects(call(Buffer.alloc(10)), { code: 8 });
    await assert.rejects(call(Buffer.alloc(3000)), { code: 8 });
  });

  test(`${transport}: binary metadata, several values of a key, status details`, async () => {
    const { call, client } = await pair(transport, (request, answer) => {
      const trailer = request.metadata.clone();
      trailer.set("grpc-status-details-bin", Buffer.from([1, 2, 3]));
      answer({ code: 9, details: "später ☺", metadata: trailer });
    });
    const metadata = new Metadata();
    metadata.add("x-many", "1");
    metadata.add("x-many", "2");
    metadata.set("x-bytes-bin", Buffer.from([0, 255]));
    await assert.rejects(call(Buffer.alloc(1), metadata), (error: ServiceError) => {
      assert.deepEqual([error.code, error.details], [9, "später ☺"]);
      assert.equal(error.metadata.get("x-many").join(",").replaceAll(" ", ""), "1,2");
      assert.deepEqual(error.metadata.get("x-bytes-bin"), [Buffer.from([0, 255])]);
      assert.deepEqual(error.metadata.get("grpc-status-details-bin"), [Buffer.from([1, 2, 3])]);
      return true;
    });
    client.getChannel().getTarget();
  });

  test(`${transport}: waitForReady of a client, and of one whose channel was closed`, async () => {
    const { client, conn } = await pair(transport, echo);
    await new Promise<void>((resolve, reject) =>
      client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve())),
    );
    // grpc-js's own goes on as if nothing had been closed.
    if (transport === "grpc-js") return;
    conn.close();
    await assert.rejects(
      new Promise<void>((resolve, reject) =>
        client.waitForReady(Date.now() + 300, (error) => (error ? reject(error) : resolve())),
      ),
    );
  });

  test(`${transport}: a connection that the server has closed is made again at the next call`, async () => {
    const { call, conn, injector } = await pair(transport, echo);
    await call(Buffer.from("x"));
    injector.destroy();
    await conn.closed;
    const again = async (): Promise<Buffer> => {
      try {
        return await call(Buffer.from("again"));
      } catch {
        return call(Buffer.from("again"));
      }
    };
    assert.equal((await again()).toString(), "again");
  });
}

for (const transport of ["goplug", "grpc-js"] as const) {
  test(`${transport}: an answer that cannot be serialized is told to the service's author`, async () => {
    const told: unknown[] = [];
    const error = (message: string, fields?: Record<string, unknown>): void => {
      told.push([message, fields?.method, String(fields?.error)]);
    };
    const server = await makeServer(undefined, { transport, logger: { ...nullLogger, error } });
    const responseSerialize = (): Buffer => {
      throw new TypeError("not this");
    };
    server.addService({ call: { ...service.call, responseSerialize } }, { call: echo });
    const { call } = await connectTo(server, transport);
    await assert.rejects(call(Buffer.from("x")), { code: 13 });
    assert.deepEqual(told, [["grpc: an answer cannot be sent", "/test.Test/Call", "TypeError: not this"]]);
  });
}

test("an option that only grpc-js understands takes its transport, and the log says so once", async () => {
  const { chooseTransport } = await import("../../../../src/grpc/connection.js");
  const said: unknown[] = [];
  const logger = { ...nullLogger, info: (...line: unknown[]) => said.push(line) };
  const options = { "grpc.service_config": "{}" };
  assert.equal(chooseTransport(undefined, options, logger), "grpc-js");
  assert.equal(chooseTransport("goplug", options, logger), "grpc-js");
  assert.equal(said.length, 1);
  assert.equal(chooseTransport(undefined, { "grpc.keepalive_time_ms": 1000 }, logger), "goplug");
  assert.equal(chooseTransport("grpc-js", {}, logger), "grpc-js");
});
