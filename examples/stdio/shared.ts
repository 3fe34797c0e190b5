import { gob, netRpcPlugin } from "goplug";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** Text in, number of bytes out. */
export const stdio = netRpcPlugin({ Print: [gob.string, gob.int], PrintErr: [gob.string, gob.int] });
