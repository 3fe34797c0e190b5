// gRPC's interoperability tests, the client's part (github.com/grpc/grpc: doc/interop-test-descriptions.md), by their names.
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type Client,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { GrpcConnection } from "../../../src/grpc/connection.js";
import { initialKey, TestService, trailingKey, UnimplementedService } from "./service.js";

// biome-ignore lint/suspicious/noExplicitAny: proto-loader's clients have no types
type AnyClient = Client & Record<string, any>;

const requestSizes = [27_182, 8, 1828, 45_904];
const responseSizes = [31_415, 9, 2653, 58_979];
const body = (size: number): object => ({ type: 0, body: Buffer.alloc(size) });

function unary<T>(client: AnyClient, method: string, request: object, ...rest: object[]): Promise<T> {
  return new Promise((resolve, reject) => {
    client[method](request, ...rest, (error: ServiceError | null, answer: T) =>
      error === null ? resolve(answer) : reject(error),
    );
  });
}

interface Output {
  payload: { body: Buffer };
}

async function sizes(call: AsyncIterable<Output>): Promise<number[]> {
  const all: number[] = [];
  for await (const { payload } of call) all.push(payload.body.length);
  return all;
}

async function largeUnary(client: AnyClient, ...rest: object[]): Promise<void> {
  const request = { responseSize: 314_159, payload: body(271_828) };
  const answer = await unary<Output>(client, "unaryCall", request, ...rest);
  assert.equal(answer.payload.body.length, 314_159);
}

function echoMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set(initialKey, "test_initial_metadata_value");
  metadata.set(trailingKey, Buffer.from([0xab, 0xab, 0xab]));
  return metadata;
}

function assertEchoed(header: Metadata | undefined, trailer: Metadata | undefined): void {
  assert.deepEqual(header?.get(initialKey), ["test_initial_metadata_value"]);
  assert.deepEqual(trailer?.get(trailingKey), [Buffer.from([0xab, 0xab, 0xab])]);
}

/** The status that a call ends with; for streams that are written to. */
function statusOf(call: NodeJS.EventEmitter): Promise<{ code: number; details: string }> {
  return new Promise((resolve) => {
    call.on("error", () => {});
    call.on("data", () => {});
    call.on("status", resolve);
  });
}

/** Compresses by the call's own wish: the message flags of grpc-js, through an interceptor. */
const counting = (seen: string[]): Interceptor => {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        seen.push(options.method_definition.path);
        next(metadata, {});
      },
    });
};

/** Each test gets a connection to a server of the suite. */
export const suite: Record<string, (connection: GrpcConnection) => Promise<void>> = {
  async empty_unary(conn) {
    await unary(conn.client(TestService) as AnyClient, "emptyCall", {});
  },
  async large_unary(conn) {
    await largeUnary(conn.client(TestService) as AnyClient);
  },
  async client_streaming(conn) {
    const client = conn.client(TestService) as AnyClient;
    const answer = await new Promise<{ aggregatedPayloadSize: number }>((resolve, reject) => {
      const call = client.streamingInputCall((error: ServiceError | null, value: never) =>
        error === null ? resolve(value) : reject(error),
      );
      for (const size of requestSizes) call.write({ payload: body(size) });
      call.end();
    });
    assert.equal(answer.aggregatedPayloadSize, 74_922);
  },
  async server_streaming(conn) {
    const client = conn.client(TestService) as AnyClient;
    const responseParameters = responseSizes.map((size) => ({ size }));
    assert.deepEqual(await sizes(client.streamingOutputCall({ responseParameters })), responseSizes);
  },
  async ping_pong(conn) {
    const call = (conn.client(TestService) as AnyClient).fullDuplexCall();
    const answers = call[Symbol.asyncIterator]();
    for (const [i, size] of requestSizes.entries()) {
      call.write({ responseParameters: [{ size: responseSizes[i] }], payload: body(size) });
      const { value } = await answers.next();
      assert.equal(value.payload.body.length, responseSizes[i]);
    }
    call.end();
    assert.equal((await answers.next()).done, true);
  },
  async empty_stream(conn) {
    const call = (conn.client(TestService) as AnyClient).fullDuplexCall();
    call.end();
    assert.deepEqual(await sizes(call), []);
  },
  async timeout_on_sleeping_server(conn) {
    const call = (conn.client(TestService) as AnyClient).fullDuplexCall({ deadline: Date.now() + 1 });
    const ended = statusOf(call);
    call.write({ payload: body(27_182) });
    assert.equal((await ended).code, status.DEADLINE_EXCEEDED);
  },
  async cancel_after_begin(conn) {
    const client = conn.client(TestService) as AnyClient;
    const call = client.streamingInputCall(() => {});
    const ended = statusOf(call);
    call.cancel();
    assert.equal((await ended).code, status.CANCELLED);
  },
  async cancel_after_first_response(conn) {
    const call = (conn.client(TestService) as AnyClient).fullDuplexCall();
    const ended = new Promise<{ code: number }>((resolve) => {
      call.on("error", () => {});
      call.on("status", resolve);
    });
    call.on("data", () => call.cancel());
    call.write({ responseParameters: [{ size: 31_415 }], payload: body(27_182) });
    assert.equal((await ended).code, status.CANCELLED);
  },
  async status_code_and_message(conn) {
    const client = conn.client(TestService) as AnyClient;
    const responseStatus = { code: 2, message: "test status message" };
    const expected = { code: 2, details: "test status message" };
    await assert.rejects(unary(client, "unaryCall", { responseStatus }), expected);
    const call = client.fullDuplexCall();
    const ended = statusOf(call);
    call.write({ responseStatus });
    call.end();
    const { code, details } = await ended;
    assert.deepEqual({ code, details }, expected);
  },
  async special_status_message(conn) {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP \u{1f608}\t\n";
    const request = { responseStatus: { code: 2, message } };
    await assert.rejects(unary(conn.client(TestService) as AnyClient, "unaryCall", request), {
      code: 2,
      details: message,
    });
  },
  async unimplemented_method(conn) {
    await assert.rejects(unary(conn.client(TestService) as AnyClient, "unimplementedCall", {}), { code: 12 });
  },
  async unimplemented_service(conn) {
    const client = conn.client(UnimplementedService) as AnyClient;
    await assert.rejects(unary(client, "unimplementedCall", {}), { code: 12 });
  },
  async custom_metadata(conn) {
    const client = conn.client(TestService) as AnyClient;
    for (const begin of [
      () => client.unaryCall({ responseSize: 10, payload: body(10) }, echoMetadata(), () => {}),
      () => client.fullDuplexCall(echoMetadata()),
    ]) {
      const call = begin();
      const header = new Promise<Metadata>((resolve) => call.on("metadata", resolve));
      const trailer = new Promise<Metadata>((resolve) =>
        call.on("status", ({ metadata }: { metadata: Metadata }) => resolve(metadata)),
      );
      call.on("data", () => {});
      call.write?.({ responseParameters: [{ size: 314 }], payload: body(10) });
      call.end?.();
      assertEchoed(await header, await trailer);
    }
  },
  async interceptors(conn) {
    const seen: string[] = [];
    const interceptors = [counting(seen), counting(seen)];
    await largeUnary(conn.client(TestService, { interceptors }) as AnyClient);
    assert.deepEqual(seen, ["/grpc.testing.TestService/UnaryCall", "/grpc.testing.TestService/UnaryCall"]);
  },
  async rpc_soak(conn) {
    const client = conn.client(TestService) as AnyClient;
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await largeUnary(client);
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
  },
};

/** Tests that need a connection of their own: with options of grpc-js. */
export const compressed = async (conn: GrpcConnection): Promise<void> => {
  const client = conn.client(TestService) as AnyClient;
  await largeUnary(client);
  await suite.client_streaming!(conn);
  await suite.ping_pong!(conn);
};

/** Fields far beyond the usual sizes, up to grpc-go's own limit of 16 MiB, and beyond it. */
export async function largeFields(conn: GrpcConnection): Promise<void> {
  const client = conn.client(TestService) as AnyClient;
  const text = "x".repeat(10_000_000);
  const failing = unary(client, "unaryCall", { responseStatus: { code: 2, message: text } });
  await assert.rejects(failing, (error: ServiceError) => error.code === 2 && error.details === text);
  for (const [key, value] of [
    [initialKey, "h".repeat(200_000)],
    [trailingKey, Buffer.alloc(1_000_000, 7)],
  ] as const) {
    const metadata = new Metadata();
    metadata.set(key, value);
    for (let i = 0; i < 2000; i++) metadata.set(`x-${i}`, `value ${i}`);
    const call = client.unaryCall({}, metadata, () => {});
    const told = Promise.all([once(call, "metadata"), once(call, "status")]);
    const [[header], [{ metadata: trailer }]] = (await told) as [[Metadata], [{ metadata: Metadata }]];
    assert.deepEqual([...header.get(key), ...trailer.get(key)], [value]);
  }
  const metadata = new Metadata();
  metadata.set(initialKey, "h".repeat(17_000_000));
  await assert.rejects(unary(client, "unaryCall", {}, metadata), { code: 13 });
  await unary(client, "emptyCall", {});
}
