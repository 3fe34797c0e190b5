import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MuxBroker } from "../../../src/broker/mux-broker.js";
import { gob, netRpcPlugin } from "../../../src/index.js";
import { RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { channelPair } from "../netrpc/support.js";

const methods = { Double: [gob.int, gob.int], Name: [gob.any, gob.string] } as const;
const broker = { this: "is the broker" } as unknown as MuxBroker;

/** A client that is connected to what an implemented definition serves. */
async function served(plugin: ReturnType<ReturnType<typeof netRpcPlugin>["implement"]>): Promise<RpcClient> {
  const [here, there] = channelPair();
  const { methods: table, receiver, optional } = await plugin.server(broker);
  void new RpcServer().register("Plugin", table, receiver, { optional }).serve(there);
  return new RpcClient(here);
}

describe("a definition without faces", () => {
  const definition = netRpcPlugin(methods);

  test("gives the host its wire methods, and the plugin implements them", async () => {
    const client = await served(definition.implement({ Double: (n) => 2 * n, Name: () => "plain" }) as never);
    const face = await definition.client(broker, client);
    assert.equal(await face.Double(21), 42);
    assert.equal(await face.Name(null), "plain");
    await client.close();
  });

  test("implemented by a class keeps its `this`", async () => {
    class Counter {
      #n = 1;
      Double(n: number): number {
        this.#n++;
        return n * 2 + this.#n - this.#n;
      }
      Name(): string {
        return `called ${this.#n} times`;
      }
    }
    const client = await served(definition.implement(new Counter()) as never);
    const face = await definition.client(broker, client);
    await face.Double(1);
    assert.equal(await face.Name(null), "called 2 times");
    await client.close();
  });

  test("implemented by a function makes one for each dispense, with its broker", async () => {
    let made = 0;
    const plugin = definition.implement((given) => {
      assert.equal(given, broker);
      const name = `number ${++made}`;
      return { Double: (n) => n, Name: () => name };
    });
    for (const expected of ["number 1", "number 2"]) {
      const client = await served(plugin as never);
      assert.equal(await (await plugin.client(broker, client)).Name(null), expected);
      await client.close();
    }
  });

  test("not implemented refuses to serve", () => {
    assert.throws(() => definition.server(broker), { code: "ERR_OPTION" });
  });
});

describe("a definition with faces", () => {
  interface Doubler {
    double(n: number): Promise<number>;
  }
  const definition = netRpcPlugin(methods, {
    client: ({ rpc, broker: given, client }): Doubler => {
      assert.equal(given, broker);
      assert(client instanceof RpcClient);
      return { double: (n) => rpc.Double(n) };
    },
    server: ({ impl, broker: given }: { impl: Doubler; broker: MuxBroker }) => {
      assert.equal(given, broker);
      return { Double: (n: number) => impl.double(n), Name: () => "faced" };
    },
  });

  test("translates on both sides", async () => {
    const client = await served(definition.implement({ double: async (n) => 2 * n }) as never);
    const face = await definition.client(broker, client);
    assert.deepEqual(Object.keys(face), ["double"]);
    assert.equal(await face.double(21), 42);
    await client.close();
  });

  test("whose implementation refuses is refused", async () => {
    const refusing = definition.implement(() => {
      throw new Error("no licence");
    });
    await assert.rejects(async () => refusing.server(broker), { message: "no licence" });
  });
});

test("a table that is none is refused where it is made, by the method's name", () => {
  const { any, string } = gob;
  for (const [methods, message] of [
    [
      { Greet: [any] },
      "methods.Greet must be [argument, reply], two schemas such as [gob.any, gob.string], not [a schema]",
    ],
    [{ Greet: ["any", "string"] }, /^methods\.Greet must be .* not \["any", "string"\]$/],
    [{ Greet: [any, undefined] }, /not \[a schema, undefined\]$/],
    [{ Greet: [any, string, string] }, /not \[a schema, a schema, a schema\]$/],
    [{ Greet: any }, /not a schema$/],
    [{ Good: [any, string], Bad: null }, /^methods\.Bad .* not null$/],
    [[["Greet", any, string]], /^methods must be an object .* not an array$/],
    [undefined, /^methods must be an object/],
  ] as const) {
    const make = [
      () => netRpcPlugin(methods as never),
      () => new RpcServer().register("S", methods as never, {} as never),
    ];
    for (const wrong of make) assert.throws(wrong, { code: "ERR_OPTION", message });
  }
});
