import { gob, netRpcPlugin } from "goplug";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** Wire name to [argument, reply]: `func (s *GreeterRPCServer) Greet(args any, reply *string) error` in Go. */
export const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });
