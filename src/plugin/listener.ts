import { ENV } from "../protocol/constants.js";
import { parseGoInt } from "../protocol/parse-int.js";
import { SocketError } from "../socket/errors.js";
import type { SocketOptions } from "../socket/open.js";

/** The host's wishes (server.go, serverListener). @throws SocketError ERR_SOCKET_PORT for ports that are no range */
export function listenOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): SocketOptions {
  const minPort = readPort(env, ENV.minPort);
  const maxPort = readPort(env, ENV.maxPort);
  return { minPort, maxPort, directory: env[ENV.unixSocketDir], group: env[ENV.unixSocketGroup] };
}

function readPort(env: Readonly<Record<string, string | undefined>>, name: string): number {
  const text = env[name];
  if (text === undefined || text === "") return 0;
  const parsed = parseGoInt(text);
  if ("value" in parsed) return parsed.value;
  throw new SocketError("ERR_SOCKET_PORT", `couldn't get value from ${name}: ${parsed.problem}`);
}
