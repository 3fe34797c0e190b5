// The direct way of unary calls beside grpc-js's own: the same script over both has the same to tell.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import {
  type Client,
  type ClientUnaryCall,
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  makeGenericClientConstructor,
  type ServiceError,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { connectGrpc } from "../../../../src/grpc/connection.js";
import type { GrpcConnection } from "../../../../src/grpc/grpc-connection.js";
import { Injector, makeServer, stopServer } from "../../../../src/grpc/server.js";
import { nullLogger } from "../../../../src/hclog/logger.js";
import { listenPath } from "../../../support.js";

type Done = (error: ServiceError | null, answer?: string) => void;
type Method = (...given: unknown[]) => ClientUnaryCall;
type TestClient = Client & Record<"call" | "none" | "twice", Method>;

const serialize = (text: string): Buffer => {
  if (text === "unserializable") throw new TypeError("not this");
  return Buffer.from(text);
};
const deserialize = (bytes: Buffer): string => {
  if (bytes.toString() === "unreadable") throw new TypeError("not that");
  return bytes.toString();
};
const method = (name: string, responseStream: boolean) => ({
  path: `/test.Test/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: deserialize,
});
const served = { call: method("Call", false), none: method("None", true), twice: method("Twice", true) };
// To the client all have one answer; the server does not keep to that.
const unary = { call: method("Call", false), none: method("None", false), twice: method("Twice", false) };
const Direct = makeGenericClientConstructor(unary as never, "test.Test");
/** A class derived from a generated one goes grpc-js's way. */
class Indirect extends Direct {}

const conn = await serve();

async function serve(): Promise<GrpcConnection> {
  const server = await makeServer(undefined);
  server.addService(
    served as never,
    {
      call(
        { request, metadata }: { request: string; metadata: Metadata },
        answer: (...given: unknown[]) => void,
      ) {
        if (request === "wait") return;
        if (request === "raw unreadable") {
          answer(null, "unreadable");
          return;
        }
        const trailers = new Metadata();
        trailers.set("trailing", "x");
        trailers.set("raw-bin", Buffer.from([1, 2]));
        if (request.startsWith("fail")) {
          answer({ code: status.NOT_FOUND, details: "nothing of that name", metadata: trailers });
          return;
        }
        const sent = [...metadata.get("given"), ...metadata.get("authorization")];
        answer(null, `${request} ${sent.join()}`, trailers);
      },
      none: (stream: { end(): void }) => stream.end(),
      twice(stream: { write(text: string): void; end(): void }) {
        stream.write("first");
        stream.write("second");
        stream.end();
      },
    } as never,
  );
  const injector = new Injector(server, undefined, nullLogger);
  const address = listenPath(tmpdir(), `goplug-direct-${process.pid}`);
  const listener = createServer((socket) => injector.inject(socket));
  await new Promise<void>((resolve) => listener.listen(address, resolve));
  const options = { "grpc.max_receive_message_length": 1000 };
  const connected = await connectGrpc({ network: "unix", address }, { options });
  after(async () => {
    connected.close();
    listener.close();
    await stopServer(server, injector, 0);
  });
  return connected;
}

/** All that a call's caller hears, in order; but for the time that a deadline took, which the server does not tell if it is first. */
function hear(
  make: (done: Done) => ClientUnaryCall,
  then?: (call: ClientUnaryCall) => void,
): Promise<unknown[]> {
  const heard: unknown[] = [];
  return new Promise((resolve) => {
    const call = make((error, answer) => {
      if (error === null) heard.push(["answer", answer]);
      else {
        const { code, details, message, metadata, stack } = error;
        assert.match(stack!, /for call at\n/);
        heard.push([
          "error",
          code,
          details.replace(/ after [0-9.]+s$/, ""),
          message.replace(/ after [0-9.]+s$/, ""),
          told(code, metadata),
        ]);
      }
    });
    call.on("metadata", (metadata: Metadata) => heard.push(["metadata", metadata.toJSON()]));
    call.on("status", ({ code, details, metadata }: StatusObject) => {
      heard.push(["status", code, details.replace(/ after [0-9.]+s$/, ""), told(code, metadata)]);
      resolve(heard);
    });
    then?.(call);
    heard.push("made");
  });
}

/** Of a deadline both sides know, and either may be first: only the server's word has fields. */
function told(code: number, metadata: Metadata): object {
  return code === status.DEADLINE_EXCEEDED ? {} : metadata.toJSON();
}

const given = new Metadata();
given.set("given", "metadata");
const parent = (): EventEmitter & { getDeadline(): number } =>
  Object.assign(new EventEmitter(), { getDeadline: () => Infinity });

const scripts: Record<string, (client: TestClient) => unknown> = {
  "an answer": (client) => hear((done) => client.call("hello", done)),
  "with metadata": (client) => hear((done) => client.call("hello", given, done)),
  "with options": (client) => hear((done) => client.call("hello", { deadline: Date.now() + 60_000 }, done)),
  "with both": (client) => hear((done) => client.call("hello", given, { host: "elsewhere" }, done)),
  "an error": (client) => hear((done) => client.call("fail", given, done)),
  "a deadline that has passed": (client) =>
    hear((done) => client.call("wait", { deadline: Date.now() - 1 }, done)),
  "a deadline that passes": (client) =>
    hear((done) => client.call("wait", { deadline: new Date(Date.now() + 50) }, done)),
  "cancelled at once, and again": (client) =>
    hear(
      (done) => client.call("hello", done),
      (call) => {
        call.cancel();
        call.cancel();
      },
    ),
  "cancelled with a status": (client) =>
    hear(
      (done) => client.call("wait", done),
      ({ call }) => call!.cancelWithStatus(status.ABORTED, "enough"),
    ),
  "cancelled by a parent": (client) => {
    const above = parent();
    return hear(
      (done) => client.call("wait", { parent: above }, done),
      () => above.emit("cancelled"),
    );
  },
  "a request that cannot be serialized": (client) => hear((done) => client.call("unserializable", done)),
  "an answer that cannot be read": (client) => hear((done) => client.call("raw unreadable", done)),
  "no answer": (client) => hear((done) => client.none("x", done)),
  "two answers": (client) => hear((done) => client.twice("x", done)),
  "an answer beyond the limit": (client) => hear((done) => client.call("x".repeat(1001), done)),
  "with credentials": (client) => {
    const granting = credentials.createFromMetadataGenerator((_, done) => {
      const metadata = new Metadata();
      metadata.set("authorization", "granted");
      done(null, metadata);
    });
    return hear((done) => client.call("hello", { credentials: granting }, done));
  },
  "with an interceptor": (client) => {
    const interceptor: Interceptor = (options, next) =>
      new InterceptingCall(next(options), {
        sendMessage: (message, send) => send(`intercepted ${message}`),
      });
    return hear((done) => client.call("hello", { interceptors: [interceptor] }, done));
  },
  "what a call says of its peer": (client) =>
    new Promise((resolve) => {
      const call = client.call("hello", () => resolve([call.getPeer(), call.getAuthContext()]));
    }),
  "wrong arguments": (client) =>
    [[], ["hello"], ["hello", given], ["hello", given, {}], ["hello", undefined, () => {}]].map((wrong) => {
      try {
        client.call(...wrong);
        return "nothing was thrown";
      } catch (error) {
        return (error as Error).message;
      }
    }),
  "what the method says of itself": ({ call }) => ({ ...call }),
};

for (const [name, script] of Object.entries(scripts)) {
  test(`both ways of a call tell the same: ${name}`, { timeout: 60_000 }, async () => {
    const direct = await script(conn.client(Direct) as unknown as TestClient);
    const indirect = await script(conn.client(Indirect) as unknown as TestClient);
    assert.deepEqual(direct, indirect);
    assert.notEqual(direct, undefined);
  });
}

test("the direct way is taken by generated clients alone, and their keys do not show it", () => {
  const own = (client: object): boolean => Object.hasOwn(client, "call");
  const interceptor: Interceptor = (options, next) => new InterceptingCall(next(options));
  assert.equal(own(conn.client(Direct)), true);
  assert.equal(own(conn.client(Indirect)), false);
  assert.equal(own(conn.client(Direct, { interceptors: [interceptor] })), false);
  assert.equal(own(conn.client(Direct, { interceptor_providers: [() => interceptor] })), false);
  assert.equal(own(conn.client(Direct, { callInvocationTransformer: (properties) => properties })), false);
  assert.deepEqual(Object.keys(conn.client(Direct)), Object.keys(conn.client(Indirect)));
});

test("an error's stack says where the call was made", async () => {
  const client = conn.client(Direct) as unknown as TestClient;
  const error = await new Promise<ServiceError | null>(function whereTheCallIsMade(resolve) {
    client.call("fail", resolve);
  });
  assert.match(error!.stack!, /whereTheCallIsMade/);
});

test("a request that changes after the call has gone out as it was", async () => {
  const text = makeGenericClientConstructor(
    {
      call: { ...unary.call, requestSerialize: (request: { text: string }) => Buffer.from(request.text) },
    } as never,
    "test.Test",
  );
  const client = conn.client(text) as unknown as TestClient;
  const request = { text: "before" };
  const answer = new Promise((resolve) => client.call(request, (_: unknown, said: string) => resolve(said)));
  request.text = "after";
  assert.equal(await answer, "before ");
});

test("a method that somebody replaces in the class is the one that is called", (t) => {
  const client = conn.client(Direct) as unknown as TestClient;
  t.mock.method(Direct.prototype, "call", () => "replaced");
  assert.equal(
    client.call("hello", () => {}),
    "replaced",
  );
});

test("on a closed connection a call throws as grpc-js's does", async () => {
  const address = listenPath(tmpdir(), `goplug-direct-${process.pid}`);
  const other = await connectGrpc({ network: "unix", address }, {});
  const clients = [Direct, Indirect].map((each) => other.client(each) as unknown as TestClient);
  other.close();
  for (const client of clients)
    assert.throws(() => client.call("hello", () => {}), /Channel has been shut down/);
});
