import { type AddressInfo, createServer, type Server } from "node:net";
import { ENV, type Network } from "../protocol/constants.js";
import { parseGoInt } from "../protocol/parse-int.js";
import { ServeError } from "./errors.js";
import { listen, listenUnix, removeSocket, type UnixSocketOptions } from "./unix-socket.js";

/** Where a plugin listens. */
export interface ListenOptions {
  /** Default: `unix`, on Windows `tcp`. */
  readonly network?: Network | undefined;
  /** The lowest and highest TCP port; 0 and 0 (the default): any port that the system gives. */
  readonly minPort?: number | undefined;
  readonly maxPort?: number | undefined;
  readonly unixSocket?: UnixSocketOptions | undefined;
}

/** A listening socket, and what the handshake line says of it. */
export interface Listener {
  readonly server: Server;
  readonly network: Network;
  /** The socket's path, or `127.0.0.1:port`. */
  readonly address: string;
  /** Stops listening and removes the socket file; connections go on. Harmless when called again. */
  close(): void;
}

/** The host's wishes (server.go, serverListener). @throws ServeError ERR_SERVE_PORT for ports that are no numbers */
export function listenOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): ListenOptions {
  return {
    minPort: readPort(env, ENV.minPort),
    maxPort: readPort(env, ENV.maxPort),
    unixSocket: { directory: env[ENV.unixSocketDir], group: env[ENV.unixSocketGroup] },
  };
}

/**
 * Opens the socket that a plugin serves on: a unix socket for the owner (and the group that was asked for), or TCP on
 * 127.0.0.1, the first free port of the range. The socket file is removed by `close` and when the process exits.
 * @throws ServeError
 */
export async function openListener(options: ListenOptions = {}): Promise<Listener> {
  const network = options.network ?? (process.platform === "win32" ? "tcp" : "unix");
  if (network === "tcp") return openTcp(options.minPort ?? 0, options.maxPort ?? 0);
  const server = createServer();
  const path = await listenUnix(server, options.unixSocket ?? {});
  const remove = (): void => removeSocket(path);
  process.once("exit", remove);
  const close = (): void => {
    process.off("exit", remove);
    server.close();
    remove();
  };
  return { server, network, address: path, close };
}

async function openTcp(minPort: number, maxPort: number): Promise<Listener> {
  if (minPort > maxPort) {
    throw new ServeError(
      "ERR_SERVE_PORT",
      `${ENV.minPort} value of ${minPort} is greater than ${ENV.maxPort} value of ${maxPort}`,
    );
  }
  let cause: unknown;
  for (let port = Math.max(0, minPort); port <= Math.min(maxPort, 65_535); port++) {
    const server = createServer();
    try {
      await listen(server, port, "127.0.0.1");
    } catch (error) {
      cause = error;
      continue;
    }
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { server, network: "tcp", address, close: () => void server.close() };
  }
  throw new ServeError("ERR_SERVE_PORT", "couldn't bind plugin TCP listener", { cause });
}

function readPort(env: Readonly<Record<string, string | undefined>>, name: string): number {
  const text = env[name];
  if (text === undefined || text === "") return 0;
  const parsed = parseGoInt(text);
  if ("value" in parsed) return parsed.value;
  throw new ServeError("ERR_SERVE_PORT", `couldn't get value from ${name}: ${parsed.problem}`);
}
