// Mattermost's server plugins (examples/mattermost) against Go peers on Mattermost's own package.
import assert from "node:assert/strict";
// The same copy as the example's.
import { gob, nullLogger } from "goplug";
import { activate, type Plugin, type PluginOptions } from "../../examples/mattermost/environment.js";
import {
  type FileInfo,
  FileInfo as fileInfo,
  type Post,
  Post as post,
} from "../../examples/mattermost/gen/definitions.js";
import { memoryServer } from "../../examples/mattermost/memory-server.js";
import { bundle } from "./bundle.js";
import type { Case } from "./case.js";
import { runHost } from "./host-check.js";
import { assertGone, Collector, pattern, until } from "./support.js";

type MemoryServer = ReturnType<typeof memoryServer>;

let bundled: Promise<string> | undefined;
const typescript = (): Promise<string> => {
  bundled ??= bundle("mattermost");
  return bundled;
};

/** The cases of mattermost-host, which activates a plugin by Mattermost's own environment. */
const checks = [
  "start",
  "activate",
  "activate-error",
  "activate-app-error",
  "configuration",
  "message",
  "message-partial",
  "message-rejected",
  "login",
  "command",
  "http",
  "http-between-plugins",
  "driver",
  "upload",
  "deactivate",
];

interface Active {
  plugin: Plugin;
  server: MemoryServer;
  stdout: Collector;
}

async function withPlugin(
  executable: string,
  use: (active: Active) => Promise<void>,
  prepare: (server: MemoryServer) => void = () => {},
): Promise<void> {
  const [server, stdout] = [memoryServer(), new Collector()];
  prepare(server);
  // A loaded machine: Mattermost's own 3 s are what the Go host's cases have.
  const options: PluginOptions = { logger: nullLogger, syncStdout: stdout, startTimeout: 20_000 };
  const plugin = await activate([executable], server, options);
  try {
    await use({ plugin, server, stdout });
  } finally {
    await plugin.client.kill();
    assertGone(plugin.client);
  }
}

/** A case with the Go plugin, and one with the TypeScript plugin. */
function both(feature: string, run: (executable: string) => Promise<void>): Case[] {
  return [
    {
      name: `ts->go mattermost ${feature}`,
      needs: ["mattermost-plugin"],
      run: ({ bin }) => run(bin("mattermost-plugin")),
    },
    { name: `ts->ts mattermost ${feature}`, run: async () => run(await typescript()) },
  ];
}

function onActive(feature: string, use: (active: Active) => Promise<void>): Case[] {
  return both(feature, (executable) =>
    withPlugin(executable, async (active) => {
      active.server.calls.length = 0;
      await use(active);
    }),
  );
}

async function echo(plugin: Plugin, size: number): Promise<void> {
  const body = pattern(size);
  const request = new Request("http://localhost/echo", { method: "POST", body });
  const response = await plugin.serveHTTP({}, request);
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("X-Length"), String(size));
  assert.equal(Buffer.compare(Buffer.from(await response.arrayBuffer()), body), 0);
}

const draft = (fields: Partial<Post>): Post => ({ ...gob.zero(post), ...fields });
const file = (Name: string): FileInfo => ({ ...gob.zero(fileInfo), Name });

async function betweenPlugins({ plugin }: Active): Promise<void> {
  const response = await plugin.serveHTTP({}, new Request("http://localhost/inter-plugin"));
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("X-Other"), "yes");
  assert.equal(await response.text(), "ping ".repeat(200_000));
}

export const cases: Case[] = [
  ...checks.map(
    (check): Case => ({
      name: `go->ts mattermost ${check}`,
      needs: ["mattermost-host"],
      async run({ bin, signal }) {
        await runHost(bin("mattermost-host"), ["-v", "-case", check, "--", await typescript()], signal);
      },
    }),
  ),
  ...both("activation, with API, driver and output", (executable) =>
    withPlugin(executable, async ({ plugin, server, stdout }) => {
      assert.deepEqual([...plugin.implemented].sort(), [
        "ExecuteCommand",
        "FileWillBeUploaded",
        "MessageWillBePosted",
        "OnActivate",
        "OnConfigurationChange",
        "OnDeactivate",
        "ServeHTTP",
        "UserHasLoggedIn",
      ]);
      assert.deepEqual(server.calls, [
        "RegisterCommand goplug Goplug true",
        "KVSet activated=yes",
        "LogInfo activated [greeting Welcome times 1]",
      ]);
      await until("the plugin's stdout", () => stdout.bytes.toString() === "printed by the plugin\n");
      await plugin.client.ping();
    }),
  ),
  ...both("activation that fails, with either kind of error", async (executable) => {
    const failing = (fail: string) =>
      withPlugin(
        executable,
        async () => {},
        ({ settings }) => (settings.fail = fail),
      );
    await assert.rejects(failing("no licence"), { name: "ErrorString", message: "failed: no licence" });
    await assert.rejects(failing("app-error"), {
      name: "AppError",
      id: "goplug.activate",
      where: "OnActivate",
      detailedError: "told to",
      statusCode: 418,
    });
  }),
  ...onActive("a change of the configuration", async ({ plugin, server }) => {
    server.settings.greeting = "Servus";
    await plugin.onConfigurationChange();
    await plugin.userHasLoggedIn({}, { Id: "user1" });
    assert.equal(server.calls[0], "CreatePost user1 town-square: Servus, ann");
  }),
  ...onActive("a message that is rewritten, one that is rejected", async ({ plugin }) => {
    const Props = new Map<string, unknown>([
      ["number", gob.value(gob.int, 5)],
      ["list", gob.value(gob.slice(gob.any), ["a", gob.value(gob.float64, 1.5), null, true])],
      ["map", gob.value(gob.map(gob.string, gob.any), { k: "v" })],
    ]);
    const sent = draft({
      Id: "post2",
      UserId: "user1",
      Message: "hello",
      FileIds: ["f1"],
      IsFollowing: true,
      Props,
    });
    const { post: got, rejection } = await plugin.messageWillBePosted({}, sent);
    assert.equal(rejection, "");
    assert.equal(got.Message, "HELLO");
    assert.deepEqual([got.Id, got.FileIds, got.IsFollowing], ["post2", ["f1"], true]);
    assert.equal(got.Props.get("number"), 5);
    assert.deepEqual(got.Props.get("list"), ["a", 1.5, null, true]);
    assert.deepEqual(got.Props.get("map"), new Map([["k", "v"]]));
    assert.equal(got.Props.get("checked_by"), "goplug");
    // What came back can be sent again.
    const again = await plugin.messageWillBePosted({}, got);
    assert.equal(again.post.Props.get("number"), 5);
    // What the plugin did not send stays.
    const partial = await plugin.messageWillBePosted({}, draft({ UserId: "user1", Message: "partial" }));
    assert.deepEqual([partial.post.Message, partial.post.UserId], ["PARTIAL", "user1"]);
    const rejected = await plugin.messageWillBePosted({}, draft({ Message: "this is forbidden" }));
    assert.equal(rejected.rejection, "rejected: forbidden");
  }),
  ...onActive("a login: GetUser, CreatePost, PublishWebSocketEvent", async ({ plugin, server }) => {
    await plugin.userHasLoggedIn({}, { Id: "user1" });
    await plugin.userHasLoggedIn({}, { Id: "nobody" });
    assert.deepEqual(server.calls, [
      "CreatePost user1 town-square: Welcome, ann",
      'PublishWebSocketEvent welcomed {"post_id":"post1","times":1} user1',
      "LogInfo no such user [id nobody status 404]",
    ]);
  }),
  ...onActive("commands, and AppErrors of the plugin and of the API", async ({ plugin }) => {
    const run = async (Command: string): Promise<string | undefined> =>
      (await plugin.executeCommand({}, { Command }))?.Text;
    assert.equal(await run("/goplug set a b"), "stored");
    assert.equal(await run("/goplug get a"), "b");
    assert.equal(await run("/goplug get nothing"), "");
    assert.equal(await run("/goplug user user1"), "ann");
    await assert.rejects(run("/goplug user nobody"), { name: "AppError", where: "GetUser", statusCode: 404 });
    await assert.rejects(run("/goplug set refused x"), {
      id: "app.plugin_store.save.app_error",
      statusCode: 500,
    });
    await assert.rejects(run("/goplug dance"), {
      id: "goplug.command.unknown",
      detailedError: "/goplug dance",
    });
  }),
  ...onActive("HTTP of 10 MB both ways, 16 at once", async ({ plugin }) => {
    for (const size of [0, 1, 10 << 20]) await echo(plugin, size);
    await Promise.all(Array.from({ length: 16 }, (_, i) => echo(plugin, (1 << 20) + i)));
    const missing = await plugin.serveHTTP({}, new Request("http://localhost/nowhere"));
    assert.equal(missing.status, 404);
    await missing.text();
  }),
  ...onActive("HTTP between plugins, streamed", async (active) => {
    await betweenPlugins(active);
    assert.deepEqual(active.server.calls, ["PluginHTTP POST /other/echo 1000000"]);
  }),
  {
    // Go's side of the plugin takes the missing answer for one of status 0.
    name: "ts->ts mattermost HTTP to a plugin that is not there",
    run: async () =>
      withPlugin(await typescript(), async ({ plugin, server }) => {
        server.pluginHTTP = () => undefined;
        const response = await plugin.serveHTTP({}, new Request("http://localhost/inter-plugin"));
        assert.equal(response.status, 502);
        assert.equal(await response.text(), "no answer\n");
      }),
  },
  {
    name: "ts->ts mattermost a page that fails",
    run: async () =>
      withPlugin(await typescript(), async ({ plugin }) => {
        const request = new Request("http://localhost/broken");
        await assert.rejects(plugin.serveHTTP({}, request), { message: "this page is broken" });
        await echo(plugin, 1);
      }),
  },
  ...both("HTTP between plugins at a server from before streams", (executable) =>
    withPlugin(executable, betweenPlugins, (server) => {
      server.wire = {
        // As if it were not there: plugins look for the text of that error.
        PluginHTTPStream: undefined as never,
        PluginHTTP: ({ RequestBody }) => ({
          Response: { StatusCode: 202, Header: { "X-Other": ["yes"] } },
          ResponseBody: RequestBody,
        }),
      };
    }),
  ),
  ...onActive("the database driver", async ({ plugin, server }) => {
    const response = await plugin.serveHTTP({}, new Request("http://localhost/db"));
    assert.equal(await response.text(), "Name,Age\nplugin 1,1\nplugin 2,2\n");
    assert.deepEqual(server.calls, ["Query SELECT Name, Age FROM Plugins WHERE Author = $1 goplug"]);
  }),
  ...onActive("files replaced, rejected and kept", async ({ plugin }) => {
    const text = "some text\n".repeat(300_000);
    const replaced = await plugin.fileWillBeUploaded({}, file("notes.txt"), text);
    assert.equal(replaced.info.Name, "upper-notes.txt");
    assert.equal(replaced.replacement.toString() === text.toUpperCase(), true);
    const rejected = await plugin.fileWillBeUploaded({}, file("virus.exe"), "MZ");
    assert.deepEqual([rejected.rejection, rejected.replacement.length], ["rejected: virus.exe", 0]);
    const kept = await plugin.fileWillBeUploaded({}, file("image.png"), text);
    assert.deepEqual([kept.info.Name, kept.rejection, kept.replacement.length], ["image.png", "", 0]);
  }),
  ...onActive("deactivation", async ({ plugin, server }) => {
    await plugin.deactivate();
    assert.deepEqual(server.calls, ["LogInfo deactivated []"]);
    await assert.rejects(plugin.executeCommand({}, { Command: "/goplug get a" }));
  }),
];
