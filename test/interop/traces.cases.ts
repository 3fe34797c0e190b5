// A TypeScript plugin over grpc-js's transport, which traces itself: the traces go to the plugin's log, and make no more traces.
import assert from "node:assert/strict";
import { Client, nullLogger } from "../../src/index.js";
import { pluginCommand } from "./build-plugins.js";
import type { Case } from "./case.js";
import { kv } from "./grpc-support.js";
import { assertGone, Collector, handshakeConfig } from "./support.js";

export const cases: Case[] = [
  {
    name: "ts->ts grpc traces of grpc-js do not trace themselves",
    async run() {
      const [path, ...args] = await pluginCommand("kv-grpc", "--grpc-js");
      const [synced, raw] = [new Collector(), new Collector()];
      const client = new Client({
        handshakeConfig,
        plugins: { kv },
        allowedProtocols: ["grpc"],
        logger: nullLogger,
        syncStderr: synced,
        stderr: raw,
        cmd: { path, args, env: { GRPC_TRACE: "all", GRPC_VERBOSITY: "DEBUG" } },
      });
      try {
        const { tools } = await client.dispense("kv");
        await tools.writeStderr({ n: 10n });
        for (let i = 0; i < 5; i++) await tools.echo({ data: Buffer.from("x") });
        const before = raw.size;
        await tools.sleep({ n: 500n });
        assert.ok(raw.size - before < 100_000, `${raw.size - before} bytes of traces in an idle half second`);
      } finally {
        await client.kill();
        assertGone(client);
      }
      assert.equal(synced.size, 10);
      assert.match(raw.bytes.toString(), /D .* \| server/);
    },
  },
];
