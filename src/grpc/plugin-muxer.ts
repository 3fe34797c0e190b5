import type { Duplex } from "node:stream";
import type { Logger } from "../hclog/logger.js";
import { patientConfig } from "../yamux/config.js";
import { Session } from "../yamux/index.js";
import { Muxer, type OnConnection } from "./muxer.js";

export interface PluginMuxerOptions {
  /** Either side may stand still at a breakpoint: nothing has a limit of its own. */
  readonly debug: boolean;
  readonly logger: Logger;
  /** Takes the streams of the plugin's main server. */
  readonly onStream: OnConnection;
}

/** Begins yamux on a connection that a host has made to a plugin. */
export function acceptMuxer(connection: Duplex, { debug, logger, onStream }: PluginMuxerOptions): Muxer {
  return new Muxer(Session.server(connection, debug ? patientConfig : {}), logger, onStream);
}
