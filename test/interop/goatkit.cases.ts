// GoatKit's plugin contract (examples/goatkit) against Go peers of both of its generations.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type GRPCPlugin, loadGRPCPlugin } from "../../examples/goatkit/load.js";
import { memoryHost } from "../../examples/goatkit/memory-host.js";
import { nullLogger } from "../../src/index.js";
import type { Case } from "./case.js";
import { runHost } from "./host-check.js";
import { Collector, until } from "./support.js";

type Generation = "json" | "struct";
const generations: Generation[] = ["json", "struct"];
const program = fileURLToPath(new URL("../../examples/goatkit/plugin.ts", import.meta.url));
const typescript = [process.execPath, "--import", "tsx", program] as const;

interface Loaded {
  plugin: GRPCPlugin;
  host: ReturnType<typeof memoryHost>;
  stdout: Collector;
}

/** A case with a Go plugin of each generation. */
function onGo(feature: string, use: (loaded: Loaded) => Promise<void>): Case[] {
  return generations.map((generation) => ({
    name: `ts->go goatkit ${feature}, ${generation}`,
    needs: ["goatkit-plugin"],
    run: ({ bin }) => withPlugin([bin("goatkit-plugin"), generation], use),
  }));
}

async function withPlugin(
  cmd: readonly [string, ...string[]],
  use: (loaded: Loaded) => Promise<void>,
): Promise<void> {
  const stdout = new Collector();
  const host = memoryHost();
  await using plugin = await loadGRPCPlugin(cmd, host, { syncStdout: stdout, logger: nullLogger });
  await use({ plugin, host, stdout });
}

const register = async ({ plugin: { registration } }: Loaded): Promise<void> => {
  assert.equal(`${registration.name} ${registration.version}`, "stats 1.2.0");
  assert.deepEqual(registration.routes?.[0]?.middleware, ["auth", "admin"]);
  const week = registration.menu_items?.[0]?.children?.[0];
  assert.equal(registration.menu_items?.[0]?.order, 5);
  assert.deepEqual([week?.id, week?.children?.[0]?.id], ["stats.week", "stats.day"]);
  assert.deepEqual(
    [registration.widgets?.[0]?.refreshable, registration.widgets?.[0]?.refresh_sec],
    [true, 60],
  );
  assert.equal(registration.i18n?.translations?.de?.open, "offene Tickets");
  assert.equal(registration.error_codes?.[0]?.http_status, 404);
  assert.deepEqual(registration.custom_fields?.[0]?.config, { options: ["a", "b"] });
  assert.deepEqual(registration.resources?.permissions?.[0]?.scope, ["ticket"]);
  assert.equal(registration.resources?.memory_mb, 64);
};

const tour = async ({ plugin, host }: Loaded): Promise<void> => {
  await plugin.init();
  assert.deepEqual(await plugin.call("tour"), {
    affected: 1,
    rows: [{ id: 1, queue: "Raw" }],
    greeting: { greeting: "Hello, stats!" },
    stored: true,
    sent: true,
    cached: "1",
    found: true,
    missing: false,
    status: 200,
    body: "POST https://example.org/ hi from stats",
    site: "GoatFlow",
    text: "1 open tickets",
  });
  assert.deepEqual(
    host.emails.map(({ to, subject }) => `${to}: ${subject}`),
    ["agent@example.org: Open"],
  );
};

/** The cases of goatkit-host, which loads a plugin in the order of GoatKit's own loader. */
const checks = ["register", "calls", "tour", "errors", "timeout", "refused", "shutdown"];

function onTypeScript(feature: string, generation: Generation, options: readonly string[]): Case {
  return {
    name: `go->ts goatkit ${feature}, ${generation}`,
    needs: ["goatkit-host"],
    async run({ bin, signal }) {
      const form = generation === "json" ? ["-json"] : [];
      const args = [...form, ...options, "--", ...typescript, generation];
      await runHost(bin("goatkit-host"), args, signal);
    },
  };
}

export const cases: Case[] = [
  ...onGo("registration", register),
  ...onGo("each method of the host's API", tour),
  ...onGo("calls", async ({ plugin }) => {
    await plugin.init();
    assert.equal(await plugin.call("echo"), undefined);
    const value = { a: [1, 2, { b: null }], text: "x".repeat(1 << 20) };
    assert.deepEqual(await plugin.call("echo", value), value);
    assert.deepEqual(await plugin.call("config"), { host_version: "0.6.4", plugin_name: "stats" });
    await assert.rejects(plugin.call("nonsense"), {
      name: "PluginError",
      message: "unknown function: nonsense",
    });
    const many = Array.from({ length: 100 }, (_, i) => plugin.call("echo", i));
    assert.deepEqual(
      await Promise.all(many),
      Array.from({ length: 100 }, (_, i) => i),
    );
  }),
  ...onGo("errors of the host's API", async ({ plugin }) => {
    await plugin.init();
    const ask = (method: string, args: unknown): Promise<unknown> => plugin.call("host", { method, args });
    await assert.rejects(ask("db_query", { query: "DROP TABLE ticket" }), {
      message: "stats may not: DROP TABLE ticket",
    });
    await assert.rejects(ask("no_such_method", {}), {
      message: "unknown host API method: no_such_method",
    });
    await assert.rejects(ask("plugin_call", { plugin: "absent", function: "f" }), {
      message: "plugin not found: absent",
    });
    assert.equal(await plugin.call("echo", 1), 1);
  }),
  ...onGo("call timeouts", async ({ plugin }) => {
    await plugin.init();
    // The registration asks for 1 s, which is less than the host's own limit.
    assert.equal(plugin.callTimeout, 1000);
    await assert.rejects(plugin.call("sleep", { ms: 3000 }, { timeout: 50 }), { name: "CallTimeoutError" });
    await assert.rejects(plugin.call("sleep", { ms: 3000 }), { name: "CallTimeoutError" });
    assert.equal(await plugin.call("echo", "still there"), "still there");
  }),
  ...onGo("an Init that is refused, and shutdown", async ({ plugin, stdout }) => {
    await assert.rejects(plugin.init({ refuse: "no licence" }), {
      name: "RemoteError",
      message: "refused: no licence",
    });
    await plugin.init();
    await plugin.shutdown();
    await until("the plugin's own words", () =>
      /initialized.*\n.*shutting down/.test(stdout.bytes.toString()),
    );
    await assert.rejects(plugin.call("echo"));
  }),
  {
    name: "ts->go goatkit Init later than a broker waits",
    needs: ["goatkit-plugin"],
    run: ({ bin }) =>
      withPlugin([bin("goatkit-plugin"), "json"], async (loaded) => {
        await sleep(5500);
        await tour(loaded);
      }),
  },
  ...generations.flatMap((generation) => [
    ...checks.map((check) => onTypeScript(check, generation, ["-case", check])),
    onTypeScript("an environment of PATH alone", generation, ["-minimal", "-case", "calls"]),
    {
      name: `ts->ts goatkit registration and host API, ${generation}`,
      run: () =>
        withPlugin([...typescript, generation], async (loaded) => {
          await register(loaded);
          await tour(loaded);
          const refusal = (method: string): Promise<unknown> => loaded.plugin.call("refusal", { method });
          assert.deepEqual(await refusal("no_such_method"), {
            name: "UnknownMethodError",
            method: "no_such_method",
          });
          assert.deepEqual(await refusal("config_get"), { name: "HostError" });
        }),
    } satisfies Case,
  ]),
];
