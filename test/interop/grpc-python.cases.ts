// A TypeScript host with the plugin of go-plugin's guide "Writing plugins without Go", in Python: the store and health,
// and nothing else of go-plugin's services.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Client, type ClientConfig, type Logger, nullLogger } from "../../src/index.js";
import type { Case } from "./case.js";
import { kv, transports, type Variant } from "./grpc-support.js";
import { handshakeConfig, until, withClient } from "./support.js";

/** The interpreter of the fixture's private environment, and its plugin. */
const needs = ["python"];
const plugin = fileURLToPath(new URL("../../go-fixtures/python/kv_plugin.py", import.meta.url));

interface PythonCase {
  readonly feature: string;
  readonly args?: readonly string[];
  readonly config?: Pick<ClientConfig, "logger" | "unixSocketConfig">;
  run(client: Client<{ kv: typeof kv }>): Promise<void>;
}

function onPython(transport: Variant, { feature, args = [], config, run }: PythonCase): Case {
  return {
    name: `ts->python grpc ${feature}${transport.name}`,
    needs,
    async run({ bin }) {
      const cmd = [bin("python"), plugin, ...args] as [string, ...string[]];
      const given = { ...transport.config, ...config };
      await withClient({ plugins: { kv }, cmd, allowedProtocols: ["grpc"], ...given }, run);
    },
  };
}

async function putAndGet(client: Client<{ kv: typeof kv }>): Promise<void> {
  const { es } = await client.dispense("kv");
  await es.put({ key: "k", value: Buffer.from("v") });
  assert.equal(Buffer.from((await es.get({ key: "k" })).value).toString(), "v");
  await assert.rejects(es.get({ key: "nobody" }), { code: 5, details: "key not found: nobody" });
}

const over = (transport: Variant): Case[] => [
  onPython(transport, { feature: "kv over TCP", run: putAndGet }),
  onPython(transport, {
    feature: "kv over a unix socket",
    args: ["--unix"],
    // Killed by force, since it has no controller, the plugin leaves its socket: in the host's own folder.
    config: { unixSocketConfig: {} },
    run: putAndGet,
  }),
  onPython(transport, {
    feature: "ping",
    async run(client) {
      for (let i = 0; i < 3; i++) await client.ping({ timeout: 10_000 });
    },
  }),
  (() => {
    const warnings: string[] = [];
    const logger: Logger = { ...nullLogger, warn: (message) => void warnings.push(message) };
    return onPython(transport, {
      feature: "missing services are warnings, and there is no broker",
      config: { logger },
      async run(client) {
        const { broker, es } = await client.dispense("kv");
        await until(
          "both warnings",
          () => warnings.filter((text) => text.includes("available")).length === 2,
        );
        assert.ok(
          warnings.includes("stdio service not available, stdout/stderr syncing unavailable"),
          warnings.join("; "),
        );
        await assert.rejects(broker.dial(1), { code: "ERR_BROKER_CLOSED" });
        await assert.rejects(
          broker.serve(() => {}),
          { code: "ERR_BROKER_CLOSED" },
        );
        await es.put({ key: "still", value: Buffer.from("there") });
      },
    });
  })(),
  onPython(transport, {
    feature: "kill of a plugin without a controller",
    async run(client) {
      await client.ping();
      await client.kill();
      assert.equal(client.exited, true);
    },
  }),
  {
    name: `ts->python grpc multiplexing that the plugin does not support${transport.name}`,
    needs,
    async run({ bin }) {
      const cmd = [bin("python"), plugin] as const;
      const common = { handshakeConfig, plugins: { kv }, cmd, logger: nullLogger, ...transport.config };
      const client = new Client({ ...common, allowedProtocols: ["grpc"], grpcBrokerMultiplex: true });
      await assert.rejects(client.start(), {
        code: "ERR_HANDSHAKE_MULTIPLEX",
        message: /client requested gRPC broker multiplexing but plugin does not support the feature/,
      });
      await client.kill();
    },
  },
];

export const cases: Case[] = transports.flatMap(over);
