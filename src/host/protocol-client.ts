import type { ClientFace, PluginSet } from "../definition/plugin.js";
import type { WaitOptions } from "../wait.js";

/** A connection to a running plugin, whatever its protocol (go-plugin: ClientProtocol). */
export interface ProtocolClient<P extends PluginSet = PluginSet> {
  /** Makes the face of a plugin type. */
  dispense<N extends keyof P & string>(name: N, options?: WaitOptions): Promise<ClientFace<P[N]>>;
  /** Asks the plugin for a sign of life. */
  ping(options?: WaitOptions): Promise<void>;
  /**
   * Asks the plugin to end and closes the connection (go-plugin: Close). Rejects when the plugin did not answer.
   */
  quit(options?: WaitOptions): Promise<void>;
  /** Closes the connection and leaves the plugin running; never rejects. */
  disconnect(): Promise<void>;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
}
