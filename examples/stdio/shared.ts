import { gob, netRpcPlugin } from "goplug";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** A string in (which in Go may be any bytes), the number of its bytes out. */
export const stdio = netRpcPlugin({ Print: [gob.rawString, gob.int], PrintErr: [gob.rawString, gob.int] });
