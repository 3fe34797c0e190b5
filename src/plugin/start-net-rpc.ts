import type { Socket } from "node:net";
import type { PluginSet } from "../definition/plugin.js";
import type { Logger } from "../hclog/logger.js";
import { type ServerLimits, unansweredLimit } from "../netrpc/server-options.js";
import { NetRpcServer } from "./net-rpc-server.js";
import type { Security } from "./security.js";
import type { StartServer } from "./serving.js";

/** The plugin's side of net/rpc mode, behind the TLS of its connections. */
export function startNetRpc(
  plugins: PluginSet,
  logger: Logger,
  security: Pick<Security, "gate">,
  limits: ServerLimits & { readonly debug?: boolean | undefined },
): StartServer {
  unansweredLimit(limits);
  return (output, onQuit) => {
    const server = new NetRpcServer({ ...limits, ...output, plugins, logger, onQuit });
    const serve = security.gate((connection) => void server.serveConnection(connection));
    return {
      get openConnections() {
        return server.openConnections;
      },
      serve: (connection) => serve(connection as Socket),
      stopServing() {
        // net/rpc has no word for it.
      },
      close: () => server.close(),
      closeNow: () => server.closeNow(),
    };
  };
}
