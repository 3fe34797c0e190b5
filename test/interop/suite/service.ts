// gRPC's interoperability service (grpc-go: interop/test_utils.go), on a server of goplug's.
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  loadPackageDefinition,
  Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { GrpcTransport } from "../../../src/grpc/connection.js";
import type { GrpcServer } from "../../../src/grpc/grpc-server.js";
import { Injector, makeServer, stopServer } from "../../../src/grpc/server.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import type { PluginTls } from "../../../src/tls/plugin-options.js";

const options = { longs: Number, enums: Number, defaults: true, includeDirs: [] };
const loaded = loadPackageDefinition(
  loadSync(fileURLToPath(new URL("testing.proto", import.meta.url)), options),
) as unknown as {
  grpc: {
    testing: { TestService: ServiceClientConstructor; UnimplementedService: ServiceClientConstructor };
  };
};
export const { TestService, UnimplementedService } = loaded.grpc.testing;

export const initialKey = "x-grpc-test-echo-initial";
export const trailingKey = "x-grpc-test-echo-trailing-bin";

interface EchoStatus {
  code: number;
  message: string;
}

interface OutputRequest {
  responseParameters: { size: number; intervalUs: number }[];
  responseStatus: EchoStatus | null;
}

interface SimpleRequest {
  responseSize: number;
  responseStatus: EchoStatus | null;
}

const payload = (size: number): object => ({ payload: { type: 0, body: Buffer.alloc(size) } });

function trailerOf(call: { metadata: Metadata; sendMetadata(metadata: Metadata): void }): Metadata {
  const initial = call.metadata.get(initialKey)[0];
  if (initial !== undefined) {
    const header = new Metadata();
    header.set(initialKey, initial);
    call.sendMetadata(header);
  }
  const trailer = new Metadata();
  const trailing = call.metadata.get(trailingKey)[0];
  if (trailing !== undefined) trailer.set(trailingKey, trailing);
  return trailer;
}

async function answer(call: { write(message: object): boolean }, request: OutputRequest): Promise<void> {
  for (const { size, intervalUs } of request.responseParameters) {
    if (intervalUs > 0) await sleep(intervalUs / 1000);
    call.write(payload(size));
  }
}

const implementation = {
  emptyCall: (_: unknown, done: sendUnaryData<object>) => done(null, {}),
  unaryCall(call: ServerUnaryCall<SimpleRequest, object>, done: sendUnaryData<object>) {
    const trailer = trailerOf(call);
    const { responseSize, responseStatus } = call.request;
    if (responseStatus !== null && responseStatus.code !== 0) {
      done({ code: responseStatus.code, details: responseStatus.message, metadata: trailer });
    } else done(null, payload(responseSize), trailer);
  },
  streamingOutputCall(call: ServerWritableStream<OutputRequest, object>) {
    void answer(call, call.request).then(() => call.end());
  },
  streamingInputCall(
    call: ServerReadableStream<{ payload: { body: Buffer } }, object>,
    done: sendUnaryData<object>,
  ) {
    let sum = 0;
    call.on("data", ({ payload: { body } }) => {
      sum += body.length;
    });
    call.on("end", () => done(null, { aggregatedPayloadSize: sum }));
  },
  fullDuplexCall(call: ServerDuplexStream<OutputRequest, object>) {
    const trailer = trailerOf(call);
    let last = Promise.resolve();
    call.on("data", (request: OutputRequest) => {
      const status = request.responseStatus;
      if (status !== null && status.code !== 0) {
        call.emit("error", { code: status.code, details: status.message });
      } else last = last.then(() => answer(call, request));
    });
    call.on("end", () => void last.then(() => call.end(trailer)));
  },
  async halfDuplexCall(call: ServerDuplexStream<OutputRequest, object>) {
    const requests: OutputRequest[] = [];
    call.on("data", (request) => requests.push(request));
    call.on("end", async () => {
      for (const request of requests) await answer(call, request);
      call.end();
    });
  },
};

/** Without the method that is there to be missing. */
function addTestService(server: GrpcServer): void {
  const { unimplementedCall: _, ...service } = TestService.service as Record<string, never>;
  server.addService(service, implementation as unknown as UntypedServiceImplementation);
}

export interface SuiteServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves the suite on a TCP port of this machine. */
export async function serveSuite(transport: GrpcTransport, tls: PluginTls | undefined): Promise<SuiteServer> {
  const server = await makeServer(undefined, { transport });
  addTestService(server);
  const injector = new Injector(server, tls, nullLogger);
  const listener = createServer((socket) => {
    socket.setNoDelay(true);
    injector.inject(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await stopServer(server, injector, 1000);
    },
  };
}
