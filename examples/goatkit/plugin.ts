// Usage: plugin.ts [json|struct]: the plugin "stats", which answers as go-fixtures/goatkit/goatkit-plugin does.
import { setTimeout as sleep } from "node:timers/promises";
import { HostError, UnknownMethodError } from "./errors.ts";
import type { HostAPIClient } from "./host-api.ts";
import { servePlugin } from "./serve.ts";

let config: Record<string, string> = {};
let host: HostAPIClient;

/** Calls everything that a host has, and tells what it got. */
async function tour(): Promise<unknown> {
  const affected = await host.dbExec("INSERT INTO ticket (queue) VALUES (?)", "Raw");
  const rows = await host.dbQuery("SELECT id, queue FROM ticket WHERE queue = ?", "Raw");
  await host.cacheSet("open", Buffer.from("1"), 60);
  const [cached, missing] = [await host.cacheGet("open"), await host.cacheGet("nothing")];
  const page = await host.httpRequest({
    method: "POST",
    url: "https://example.org/",
    headers: { "X-Plugin": "stats" },
    body: Buffer.from("hi"),
  });
  await host.sendEmail({ to: "agent@example.org", subject: "Open", body: "1", html: false });
  return {
    affected,
    rows,
    greeting: await host.callPlugin("hello", "greet", { name: "stats" }),
    stored: true,
    sent: true,
    cached: cached?.toString(),
    found: cached !== undefined,
    missing: missing !== undefined,
    status: page.status,
    body: page.body.toString(),
    site: await host.configGet("site.name"),
    text: await host.translate("stats.open", 1),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: JSON from the host
const functions: Record<string, (args: any) => unknown> = {
  echo: (args) => args,
  config: () => config,
  tour,
  host: ({ method, args }) => host.call(method, args),
  /** What a refused call of the host looks like here. */
  async refusal({ method }) {
    try {
      return await host.call(method, { key: "nothing" });
    } catch (error) {
      if (error instanceof UnknownMethodError) return { name: error.name, method: error.method };
      if (error instanceof HostError) return { name: error.name };
      throw error;
    }
  },
  async sleep({ ms }) {
    await sleep(ms);
    return ms;
  },
};

await servePlugin(
  {
    gkRegister: () => ({
      name: "stats",
      version: "1.2.0",
      description: "Statistics of tickets",
      author: "goplug",
      license: "Apache-2.0",
      routes: [{ method: "GET", path: "/admin/stats", handler: "tour", middleware: ["auth", "admin"] }],
      menu_items: [
        {
          id: "stats",
          label: "Statistics",
          path: "/admin/stats",
          location: "admin",
          order: 5,
          children: [
            {
              id: "stats.week",
              label: "Week",
              path: "/admin/stats/week",
              location: "admin",
              parent: "stats",
              children: [
                {
                  id: "stats.day",
                  label: "Day",
                  path: "/admin/stats/day",
                  location: "admin",
                  parent: "stats.week",
                },
              ],
            },
          ],
        },
      ],
      widgets: [
        {
          id: "open",
          title: "Open tickets",
          handler: "tour",
          location: "agent_home",
          refreshable: true,
          refresh_sec: 60,
        },
      ],
      jobs: [{ id: "count", handler: "tour", schedule: "0 * * * *", enabled: true }],
      i18n: {
        namespace: "stats",
        languages: ["en", "de"],
        translations: { en: { open: "open tickets" }, de: { open: "offene Tickets" } },
      },
      error_codes: [{ code: "no_data", message: "There is no data", http_status: 404 }],
      custom_fields: [
        { name: "rank", entity_type: "agent", field_type: "select", config: { options: ["a", "b"] } },
      ],
      resources: {
        memory_mb: 64,
        call_timeout: "1s",
        permissions: [{ type: "db", access: "readwrite", scope: ["ticket"] }],
      },
    }),
    init(settings, api) {
      if (settings.refuse !== undefined) throw new Error(`refused: ${settings.refuse}`);
      [config, host] = [settings, api];
      console.log("[stats] initialized with config:", settings);
    },
    call(fn, args) {
      const run = functions[fn];
      if (run === undefined) throw new Error(`unknown function: ${fn}`);
      return run(args);
    },
    shutdown: () => console.log("[stats] shutting down"),
  },
  process.argv[2] === "struct" ? "struct" : "json",
);
