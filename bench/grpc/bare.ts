// A bare grpc-js client: measures WORKLOAD on the plugin at TARGET for every line of its stdin. Usage: bare.ts WORKLOAD TARGET
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import { KVClient } from "../../test/interop/gen/kv.js";
import { StreamClient } from "../../test/interop/gen/stream.js";
import { driver } from "./drive.js";
import { type Clients, workloads } from "./workloads.js";

const [, , name, target] = process.argv;
const workload = workloads.find((each) => each.name === name);
if (workload === undefined || target === undefined) throw new Error("usage: bare.ts WORKLOAD TARGET");
const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
const clients: Clients = {
  kv: new KVClient(target, credentials.createInsecure(), unlimited),
  stream: new StreamClient(target, credentials.createInsecure(), unlimited),
};
const measure = driver(workload.inFlight, () => workload.one(clients));
for await (const _ of createInterface(process.stdin)) {
  console.log(JSON.stringify({ calls: await measure(), seconds: 1 }));
}
clients.kv.close();
clients.stream.close();
