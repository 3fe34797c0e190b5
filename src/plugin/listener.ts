import { ENV } from "../protocol/constants.js";
import { parseGoInt } from "../protocol/parse-int.js";
import { SocketError } from "../socket/errors.js";
import { networkOf, type SocketOptions } from "../socket/open.js";
import type { ServeConfig } from "./serve-config.js";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the plugin listens for hosts, and where its broker does: a port of the plugin's own is taken by then. */
export interface Listening {
  readonly main: SocketOptions;
  readonly broker: SocketOptions;
}

/**
 * What the plugin's author and the host wish (server.go, serverListener). Ports are read where they are used.
 * @throws SocketError ERR_SOCKET_PORT when the host's ports are no numbers
 */
export function listenOptions(
  config: Pick<ServeConfig, "network" | "port">,
  env: Env,
  platform: NodeJS.Platform = process.platform,
): Listening {
  const { port } = config;
  const network = networkOf(config, platform);
  const broker = { network, ...(network === "tcp" ? portsOfHost(env) : pathOfHost(env)) };
  if (port === undefined) return { main: broker, broker };
  return { main: { ...broker, minPort: port, maxPort: port }, broker };
}

function portsOfHost(env: Env): Pick<SocketOptions, "minPort" | "maxPort"> {
  return { minPort: readPort(env, ENV.minPort), maxPort: readPort(env, ENV.maxPort) };
}

function pathOfHost(env: Env): Pick<SocketOptions, "directory" | "group"> {
  return { directory: env[ENV.unixSocketDir], group: env[ENV.unixSocketGroup] };
}

function readPort(env: Env, name: string): number {
  const text = env[name];
  if (text === undefined || text === "") return 0;
  const parsed = parseGoInt(text);
  if ("value" in parsed) return parsed.value;
  throw new SocketError("ERR_SOCKET_PORT", `couldn't get value from ${name}: ${parsed.problem}`);
}
