import { type Caller, gob, type MuxBroker, netRpcPlugin } from "goplug";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** What the host serves to the plugin, on a brokered stream. */
export const helper = { Sum: [gob.struct({ A: gob.int64, B: gob.int64 }), gob.int64] } as const;

const put = gob.struct({ Key: gob.string, Value: gob.int64, AddServer: gob.uint32 });
const methods = { Put: [put, gob.int64], Get: [gob.string, gob.int64] } as const;

/** How a sum is made. */
export type Add = (a: bigint, b: bigint) => bigint;

/** A plugin keeps numbers; the host adds them, called back by the plugin. */
export const counter = netRpcPlugin(methods, {
  client: ({ rpc, broker }) => ({
    /** Adds `value` to what is under `key`, with the host's `add`. */
    put: (key: string, value: bigint, add: Add) =>
      rpc.Put({ Key: key, Value: value, AddServer: broker.serve(helper, { Sum: ({ A, B }) => add(A, B) }) }),
    get: (key: string) => rpc.Get(key),
  }),
});

/** Dials the helper that a call came with. */
export function dialHelper(broker: MuxBroker, id: number): Promise<Caller<typeof helper> & AsyncDisposable> {
  return broker.connect(id, helper);
}
