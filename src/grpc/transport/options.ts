import type { ChannelOptions, ServerOptions } from "@grpc/grpc-js";
import type { SessionOptions } from "../../http2/index.js";
import type { CallLimits } from "./client-call.js";
import type { Encoding } from "./compression.js";

/** What grpc-js's channel options come to. */
export interface ClientOptions {
  readonly limits: CallLimits;
  readonly encoding: Encoding;
  readonly authority: string | undefined;
  readonly userAgent: string;
  readonly session: SessionOptions;
}

/** Options that this transport knows, or that mean nothing for a connection to one known peer. */
const known: ReadonlySet<string> = new Set([
  "grpc.max_receive_message_length",
  "grpc.max_send_message_length",
  "grpc.max_metadata_size",
  "grpc.default_compression_algorithm",
  "grpc.default_compression_level",
  "grpc.default_authority",
  "grpc.ssl_target_name_override",
  "grpc.primary_user_agent",
  "grpc.secondary_user_agent",
  "grpc.keepalive_time_ms",
  "grpc.keepalive_timeout_ms",
  "grpc.keepalive_permit_without_calls",
  "grpc.enable_http_proxy",
  "grpc.service_config_disable_resolution",
  "grpc.use_local_subchannel_pool",
  "grpc.client_idle_timeout_ms",
  "grpc.enable_channelz",
  "grpc.initial_reconnect_backoff_ms",
  "grpc.min_reconnect_backoff_ms",
  "grpc.max_reconnect_backoff_ms",
  "grpc.dns_min_time_between_resolutions_ms",
  "grpc.lb_policy_name",
]);

/**
 * Calls that a connection may have open at a server; its client keeps further ones back until others have ended, go-plugin's
 * own among them, as its ping. So it lies where memory ends (some 700 MB), and not where a busy host gets to. (Go's has none.)
 */
const MAX_STREAMS = 100_000;

/** Further ones of servers. */
const knownOfServers: ReadonlySet<string> = new Set(["grpc.max_concurrent_streams", "interceptors"]);

/** The first option that only grpc-js understands; undefined where there is none. */
export function unknownOption(options: ChannelOptions | ServerOptions): string | undefined {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !known.has(name) && !knownOfServers.has(name)) return name;
  }
  if (options["grpc.enable_http_proxy"] === 1) return "grpc.enable_http_proxy";
  if (options["grpc.enable_channelz"] === 1) return "grpc.enable_channelz";
  return undefined;
}

const encodings: readonly Encoding[] = ["identity", "deflate", "gzip"];
const DEFAULT_KEEPALIVE_TIMEOUT = 20_000;

export function clientOptions(options: ChannelOptions): ClientOptions {
  const agent = [
    options["grpc.primary_user_agent"],
    "grpc-node-goplug",
    options["grpc.secondary_user_agent"],
  ];
  return {
    limits: limitsOf(options),
    encoding: encodings[options["grpc.default_compression_algorithm"] ?? 0] ?? "identity",
    authority: options["grpc.default_authority"] ?? options["grpc.ssl_target_name_override"],
    userAgent: agent.filter(Boolean).join(" "),
    session: sessionOptions(options),
  };
}

/** What grpc-js's server options come to. */
export function serverOptions(options: ServerOptions): { limits: CallLimits; session: SessionOptions } {
  return {
    limits: limitsOf(options),
    session: {
      ...sessionOptions(options),
      maxConcurrentStreams: options["grpc.max_concurrent_streams"] ?? MAX_STREAMS,
    },
  };
}

function limitsOf(options: ChannelOptions): CallLimits {
  return {
    maxSend: limit(options["grpc.max_send_message_length"], Infinity),
    maxReceive: limit(options["grpc.max_receive_message_length"], 4 * 1024 * 1024),
  };
}

/** What is the same for both roles. */
function sessionOptions(options: ChannelOptions): SessionOptions {
  const time = options["grpc.keepalive_time_ms"];
  return {
    oneOff: isOneOff,
    ...(options["grpc.max_metadata_size"] !== undefined && {
      maxHeaderListSize: options["grpc.max_metadata_size"],
    }),
    ...(time !== undefined &&
      time > 0 && {
        keepalive: { time, timeout: options["grpc.keepalive_timeout_ms"] ?? DEFAULT_KEEPALIVE_TIMEOUT },
      }),
  };
}

/** grpc-js's lengths, where -1 is no limit. */
function limit(given: number | undefined, byDefault: number): number {
  if (given === undefined) return byDefault;
  return given < 0 ? Infinity : given;
}

/** Fields whose values hardly come twice. */
function isOneOff(name: string, value: string): boolean {
  return (
    name === "grpc-timeout" ||
    (name === "grpc-message" && value !== "") ||
    name === "grpc-status-details-bin" ||
    name === "content-length"
  );
}
