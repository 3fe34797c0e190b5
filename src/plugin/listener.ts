import { ENV } from "../protocol/constants.js";
import { parseGoInt } from "../protocol/parse-int.js";
import { SocketError } from "../socket/errors.js";
import type { SocketOptions } from "../socket/open.js";
import type { ServeConfig } from "./serve-config.js";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the plugin listens for hosts, and where its broker does: a port of the plugin's own is taken by then. */
export interface Listening {
  readonly main: SocketOptions;
  readonly broker: SocketOptions;
}

/**
 * What the plugin's author and the host wish (server.go, serverListener).
 * @throws SocketError ERR_SOCKET_PORT when the host's ports are no numbers
 */
export function listenOptions({ network, port }: Pick<ServeConfig, "network" | "port">, env: Env): Listening {
  const broker = { ...wishesOfHost(env), network };
  if (port === undefined) return { main: broker, broker };
  return { main: { ...broker, minPort: port, maxPort: port }, broker };
}

function wishesOfHost(env: Env): SocketOptions {
  const minPort = readPort(env, ENV.minPort);
  const maxPort = readPort(env, ENV.maxPort);
  return { minPort, maxPort, directory: env[ENV.unixSocketDir], group: env[ENV.unixSocketGroup] };
}

function readPort(env: Env, name: string): number {
  const text = env[name];
  if (text === undefined || text === "") return 0;
  const parsed = parseGoInt(text);
  if ("value" in parsed) return parsed.value;
  throw new SocketError("ERR_SOCKET_PORT", `couldn't get value from ${name}: ${parsed.problem}`);
}
