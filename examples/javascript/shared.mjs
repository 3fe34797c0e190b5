import { gob, netRpcPlugin } from "goplug";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** What the host serves to the plugin, on a brokered stream. */
export const helper = { Sum: [gob.struct({ A: gob.int64, B: gob.int64 }), gob.int64] };

const put = gob.struct({ Key: gob.string, Value: gob.int64, AddServer: gob.uint32 });

/** A plugin keeps numbers; the host adds them, called back by the plugin. Editors know the types of all this. */
export const counter = netRpcPlugin({ Put: [put, gob.int64], Get: [gob.string, gob.int64] });
