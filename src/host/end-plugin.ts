import type { PluginSet } from "../definition/plugin.js";
import type { Logger } from "../hclog/logger.js";
import { within } from "../wait.js";
import type { PluginHandle } from "./plugin-handle.js";
import type { ProtocolClient } from "./protocol-client.js";

/** Milliseconds that a plugin which answered Quit has to end before it is killed (go-plugin: Client.Kill). */
const EXIT_GRACE = 2000;
/** Milliseconds that the connection to a plugin that was killed may take to close. */
const DISCONNECT_GRACE = 500;

/** What is needed of a plugin that runs. */
export interface Ending<P extends PluginSet> {
  readonly plugin: PluginHandle;
  /** In test mode: the plugin is neither asked to quit nor killed. */
  readonly test: boolean;
  /** The connection to it, made or being made, if there is one. */
  readonly connection: Promise<ProtocolClient<P>> | undefined;
  /** Makes one. */
  connect(): Promise<ProtocolClient<P>>;
  /** Ends an attempt to connect. */
  stopConnecting(): void;
}

/**
 * Ends a plugin (go-plugin: Client.Kill): asks it to quit, and kills it if it does not within 2 s. One that has ended already,
 * or is another's to end, is disconnected from.
 */
export async function endPlugin<P extends PluginSet>(ending: Ending<P>, logger: Logger): Promise<void> {
  const { plugin, connection } = ending;
  if (ending.test || plugin.exited !== undefined) {
    await (await connection?.catch(() => undefined))?.disconnect();
    return;
  }
  let client: ProtocolClient<P> | undefined;
  try {
    // As in go-plugin, a plugin that was never connected to is still asked to quit first.
    client = await within(EXIT_GRACE, connection ?? ending.connect());
    await client?.quit();
    if (client !== undefined && (await within(EXIT_GRACE, plugin.exit)) !== undefined) return;
  } catch (error) {
    // Go's plugins may be gone before their answer to Quit is out: that is an end, too.
    if (plugin.exited !== undefined) return;
    logger.warn("error closing client during kill", { error });
  }
  logger.warn("plugin failed to exit gracefully", { plugin: plugin.name, id: plugin.id });
  ending.stopConnecting();
  await plugin.kill();
  if (client !== undefined) await within(DISCONNECT_GRACE, client.disconnect());
}
