import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import { gob, implemented, netRpcPlugin } from "../../../src/index.js";
import { RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { pluginPair } from "../../../src/testing/index.js";
import { channelPair } from "../netrpc/support.js";
import { pipePair, sessions } from "../yamux/support.js";

const hooks = {
  OnActivate: [gob.any, gob.string],
  OnDeactivate: [gob.any, gob.string],
  MessagePosted: [gob.string, gob.string],
} as const;
const missing = { name: "RemoteError", message: "rpc: can't find method Plugin.OnDeactivate" };

describe("an implementation of a part of the table", () => {
  const plugin = netRpcPlugin(hooks, { optional: true });

  test("answers its methods, and the others as Go does where there is no such method", async () => {
    const part = { OnActivate: () => "active", MessagePosted: (text: string) => text.toUpperCase() };
    await using pair = await pluginPair({ plugin: plugin.implement(part) });
    const client = await pair.client.dispense("plugin");
    assert.equal(await client.OnActivate(null), "active");
    await assert.rejects(client.OnDeactivate(null), missing);
    assert.equal(await client.MessagePosted("still there"), "STILL THERE");
  });

  test("may be a class, whose methods are found on its prototypes", async () => {
    class Base {
      OnActivate(): string {
        return this.constructor.name;
      }
    }
    class Mine extends Base {
      MessagePosted = (text: string): string => text;
    }
    assert.deepEqual(plugin.implemented(new Mine()), ["OnActivate", "MessagePosted"]);
    await using pair = await pluginPair({ plugin: plugin.implement(() => new Mine()) });
    const client = await pair.client.dispense("plugin");
    assert.equal(await client.OnActivate(null), "Mine");
    await assert.rejects(client.OnDeactivate(null), missing);
  });

  test("may have undefined where a method is missing, but nothing else that is no function", async () => {
    const none = plugin.implement({ OnActivate: undefined });
    await using pair = await pluginPair({ plugin: none });
    await assert.rejects((await pair.client.dispense("plugin")).OnDeactivate(null), missing);
    const message = 'implementation.OnActivate must be a function, not "text"';
    assert.throws(() => plugin.implement({ OnActivate: "text" as never }), { code: "ERR_OPTION", message });
  });
});

test("only the methods that the definition names may be missing", async () => {
  const plugin = netRpcPlugin(hooks, { optional: ["OnDeactivate"] });
  await using pair = await pluginPair({
    plugin: plugin.implement({ OnActivate: () => "active", MessagePosted: (text) => text }),
  });
  const client = await pair.client.dispense("plugin");
  assert.equal(await client.OnActivate(null), "active");
  await assert.rejects(client.OnDeactivate(null), missing);
  const wrong = { OnActivate: () => "" } as never;
  assert.throws(() => plugin.implement(wrong), /has no method MessagePosted/);
  await using late = await pluginPair({ plugin: plugin.implement(() => wrong) });
  await assert.rejects(late.client.dispense("plugin"), /has no method MessagePosted/);
});

test("the names of a table that a receiver has, in the table's order", () => {
  const receiver = { MessagePosted: () => "", OnActivate: () => "", More: () => "" };
  assert.deepEqual(implemented(hooks, receiver), ["OnActivate", "MessagePosted"]);
  assert.deepEqual(implemented(hooks, {}), []);
});

test("a server face may leave methods out as well", async () => {
  const plugin = netRpcPlugin(hooks, {
    optional: true,
    server: ({ impl }: { impl: { post(text: string): string } }) => ({
      MessagePosted: (text) => impl.post(text),
    }),
  });
  await using pair = await pluginPair({ plugin: plugin.implement({ post: (text) => `${text}!` }) });
  const client = await pair.client.dispense("plugin");
  assert.equal(await client.MessagePosted("x"), "x!");
  await assert.rejects(client.OnDeactivate(null), missing);
});

test("RpcServer and the broker take parts of a table where they are told so", async (t) => {
  const [near, far] = channelPair();
  void new RpcServer().register("Plugin", hooks, { OnActivate: () => "x" }, { optional: true }).serve(far);
  const client = new RpcClient(near);
  await assert.rejects(client.call("Plugin.OnDeactivate", gob.any, null, gob.string), missing);
  await client.close();

  const pair = sessions(t, pipePair());
  const [here, there] = [new MuxBroker(pair.client), new MuxBroker(pair.server)];
  const id = here.serve(hooks, { OnActivate: () => "y" }, { optional: ["OnDeactivate", "MessagePosted"] });
  await using api = await there.connect(id, hooks);
  assert.equal(await api.OnActivate(null), "y");
  await assert.rejects(api.OnDeactivate(null), missing);
});

test("what dispense gives has the broker beside the wire names", async () => {
  const plugin = netRpcPlugin({ Use: [gob.uint32, gob.string] });
  await using pair = await pluginPair({
    plugin: plugin.implement((broker) => ({
      async Use(id) {
        await using api = await broker.connect(id, { Name: [gob.any, gob.string] });
        return `called back ${await api.Name(null)}`;
      },
    })),
  });
  const client = await pair.client.dispense("plugin");
  assert.equal(client.broker, pair.client.broker);
  assert.deepEqual(Object.keys(client), ["Use"]);
  const id = client.broker.serve({ Name: [gob.any, gob.string] }, { Name: () => "the host" });
  assert.equal(await client.Use(id), "called back the host");
});
