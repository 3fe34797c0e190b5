import * as protobuf from "@bufbuild/protobuf";
import { protobufPlugin } from "goplug";
import { KV } from "./gen/kv_pb.ts";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** protobuf-es's code on both sides: a typed client for the host, typed methods for the plugin. */
export const kv = protobufPlugin(KV, protobuf);
