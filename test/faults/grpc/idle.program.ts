// One side of a connection with many idle calls: `server PATH` or `client PATH`. For every line of stdin it does what the
// line says, and answers with a line of JSON: what it holds after a garbage collection.
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientDuplexStream, Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import { connectGrpc } from "../../../src/grpc/connection.js";
import { Injector, makeServer } from "../../../src/grpc/server.js";
import { nullLogger } from "../../../src/hclog/logger.js";

const identity = (bytes: Buffer): Buffer => bytes;
const service = {
  talk: {
    path: "/test.Idle/Talk",
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};
/** Unlike events.once it does not fail with the call, whose cancellation is an error. */
const event = (call: ClientDuplexStream<Buffer, Buffer>, name: string): Promise<void> =>
  new Promise((resolve) => call.once(name, () => resolve()));
const [role, path] = process.argv.slice(2) as [string, string];
let calls = 0;
let openCalls: (count: number) => Promise<void> = async () => {};
let cancelCalls: () => Promise<void> = async () => {};
let ping: () => Promise<void> = async () => {};

if (role === "server") {
  const server = await makeServer(undefined, { transport: "goplug" });
  server.addService(service, {
    talk(call: ServerDuplexStream<Buffer, Buffer>) {
      calls++;
      call.on("error", () => {});
      call.on("cancelled", () => calls--);
      call.on("data", (chunk: Buffer) => call.write(chunk));
      call.sendMetadata(new Metadata());
    },
  });
  const injector = new Injector(server, undefined, nullLogger);
  await new Promise<void>((resolve) =>
    createServer((socket) => injector.inject(socket)).listen(path, resolve),
  );
} else {
  const connection = await connectGrpc({ network: "unix", address: path }, { transport: "goplug" });
  const client = connection.client(Client);
  const open: ClientDuplexStream<Buffer, Buffer>[] = [];
  const begin = (): ClientDuplexStream<Buffer, Buffer> => {
    const call = client.makeBidiStreamRequest(service.talk.path, identity, identity);
    call.on("error", () => {});
    call.on("data", () => {});
    return call;
  };
  ping = async () => {
    const call = begin();
    await event(call, "metadata");
    const over = event(call, "status");
    call.cancel();
    await over;
  };
  openCalls = async (count) => {
    const answered = Array.from({ length: count }, () => {
      const call = begin();
      open.push(call);
      return event(call, "metadata");
    });
    await Promise.all(answered);
    calls = open.length;
  };
  cancelCalls = async () => {
    const ended = open.splice(0).map((call) => {
      const over = event(call, "status");
      call.cancel();
      return over;
    });
    await Promise.all(ended);
    calls = 0;
  };
}

async function report(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    (globalThis as { gc?: () => void }).gc!();
    await sleep(50);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  console.log(JSON.stringify({ calls, rss, held: heapUsed + external }));
}

await report();
for await (const line of createInterface(process.stdin)) {
  const [what, count] = line.split(" ");
  if (what === "open") await openCalls(Number(count));
  if (what === "ping") await ping();
  if (what === "cancel") await cancelCalls();
  await report();
}
process.exit(0);
