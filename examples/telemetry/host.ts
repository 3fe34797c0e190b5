// Usage: host.ts: starts the plugin beside it, and shows that one trace goes through both processes.
import { fileURLToPath } from "node:url";
import { Client } from "goplug";
import { handshakeConfig, kv } from "../kv-grpc/shared.ts";
import { exported, startTelemetry } from "./sdk.ts";
import { traceCalls } from "./spans.ts";

startTelemetry();
traceCalls();
const plugin = fileURLToPath(new URL("plugin.ts", import.meta.url));
const client = new Client({
  handshakeConfig,
  plugins: { kv },
  cmd: [process.execPath, ...process.execArgv, plugin],
  allowedProtocols: ["grpc"],
});
try {
  const store = await client.dispense("kv");
  const { value } = await store.get({ key: "trace" });
  for (const span of exported.getFinishedSpans()) {
    const same = span.spanContext().traceId === Buffer.from(value).toString();
    console.log(
      `${span.name}: ${same ? "the plugin's span is in the same trace" : "the trace ends at the host"}`,
    );
  }
} finally {
  await client.kill();
}
