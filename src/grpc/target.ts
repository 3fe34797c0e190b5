import type { ChannelOptions } from "@grpc/grpc-js";
import type { SocketAddress } from "../socket/address.js";

/** The name by which grpc-js's resolvers know an address. */
export function targetOf({ network, address }: SocketAddress): string {
  // More than one slash at the start would be read as an authority.
  if (network === "unix") return `unix:${address.replace(/^\/+/, "/")}`;
  return `dns:${address.startsWith(":") ? `localhost${address}` : address}`;
}

/**
 * How goplug's channels differ from grpc-js's own; user options come on top. As in go-plugin messages have no limit
 * (grpc_client.go, dialGRPCConn), and no proxy of the environment stands between host and plugin.
 */
export const defaultChannelOptions: ChannelOptions = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  // A connection of its own, that closes with the channel.
  "grpc.use_local_subchannel_pool": 1,
  // A plugin's connection is not given up because nobody has called for half an hour.
  "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
  "grpc.enable_channelz": 0,
};
