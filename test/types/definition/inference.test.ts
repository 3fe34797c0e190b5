// Checked by the compiler: what definitions infer, and what must not compile.
import { Client, type ClientFace, gob, type MuxBroker, netRpcPlugin } from "../../../src/index.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const greeter = netRpcPlugin({
  Greet: [gob.any, gob.string],
  Count: [gob.struct({ Of: gob.string }), gob.int64],
});
type Greeter = ClientFace<typeof greeter>;
same<Awaited<ReturnType<Greeter["Greet"]>>, string>(true);
same<Awaited<ReturnType<Greeter["Count"]>>, bigint>(true);

const faced = netRpcPlugin(
  { Get: [gob.string, gob.bytes] },
  {
    client: ({ rpc }) => ({ get: (key: string) => rpc.Get(key) }),
    server: ({ impl }: { impl: { get(key: string): Buffer } }) => ({ Get: (key) => impl.get(key) }),
  },
);
same<ClientFace<typeof faced>, { get: (key: string) => Promise<Buffer> }>(true);

const handshakeConfig = { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" };

/** Never called: it is the compiler that reads it. */
export async function typed(): Promise<void> {
  const client = new Client({ handshakeConfig, plugins: { greeter, faced }, cmd: ["x"] });
  same<Awaited<ReturnType<typeof client.dispense<"faced">>>, ClientFace<typeof faced>>(true);
  const plugin = await client.dispense("greeter");
  await plugin.Greet("text", { timeout: 5 });
  await plugin.Count({});
  // @ts-expect-error there is no such plugin
  await client.dispense("nobody");
  // @ts-expect-error there is no such method
  await plugin.Missing(null);
  // @ts-expect-error Of is a string
  await plugin.Count({ Of: 5 });
  // @ts-expect-error a method is missing
  greeter.implement({ Greet: () => "x" });
  // @ts-expect-error Greet answers a string
  greeter.implement({ Greet: () => 5, Count: () => 1n });
  greeter.implement({ Greet: () => "x", Count: ({ Of }) => BigInt(Of.length) });
  faced.implement({ get: (key) => Buffer.from(key) });
  // @ts-expect-error the implementation has the face's methods, not the wire's
  faced.implement({ Get: (key: string) => Buffer.from(key) });
  new Client({ handshakeConfig, plugins: { greeter }, cmd: process.argv.slice(2) });
  // @ts-expect-error a command is a list
  new Client({ handshakeConfig, plugins: { greeter }, cmd: "./greeter" });
}

const hooks = { OnActivate: [gob.any, gob.string], Posted: [gob.string, gob.int] } as const;
const anyHooks = netRpcPlugin(hooks, { optional: true });
const oneHook = netRpcPlugin(hooks, { optional: ["Posted"] });
const allHooks = netRpcPlugin(hooks);
same<ReturnType<typeof anyHooks.implemented>, ("OnActivate" | "Posted")[]>(true);
same<ClientFace<typeof anyHooks>, ClientFace<typeof allHooks>>(true);
same<ClientFace<typeof allHooks>["broker"], MuxBroker>(true);

/** Never called: it is the compiler that reads it. */
export function partial(): void {
  anyHooks.implement({});
  anyHooks.implement({ Posted: (text) => text.length });
  anyHooks.implement({ Posted: undefined });
  // @ts-expect-error no such hook
  anyHooks.implement({ Postd: () => 5 });
  // @ts-expect-error the wrong reply
  anyHooks.implement({ Posted: () => "5" });
  oneHook.implement({ OnActivate: () => "" });
  // @ts-expect-error OnActivate is not optional
  oneHook.implement({ Posted: () => 5 });
  // @ts-expect-error no method is optional
  allHooks.implement({ OnActivate: () => "" });
  // @ts-expect-error no such method to be optional
  netRpcPlugin(hooks, { optional: ["Postd"] });
  netRpcPlugin(hooks, {
    optional: true,
    client: ({ rpc, broker }) => ({ posted: (text: string) => rpc.Posted(text), broker }),
    server: ({ impl }: { impl: { post(text: string): number } }) => ({ Posted: (text) => impl.post(text) }),
  }).implement({ post: (text) => text.length });
}
