// A host of GoatKit plugins.
import { BadReplyError, Client, type ClientConfig, type ClientParts, gob, netRpcPlugin } from "goplug";
import { fromJson, type Generation, handshakeConfig, pluginMethods, pluginName, toJson } from "./contract.ts";
import { PluginError } from "./errors.ts";
import { GKRegistration } from "./gen/definitions.ts";
import { type HostAPI, serveHostAPI } from "./host-api.ts";
import { fromStruct, type Registration } from "./registration.ts";

/** The host's side of one plugin (Go: GKPluginRPCClient). */
class GKPluginClient {
  readonly #parts: ClientParts<typeof pluginMethods>;

  constructor(parts: ClientParts<typeof pluginMethods>) {
    this.#parts = parts;
  }

  async register(generation: Generation): Promise<Registration> {
    const { client } = this.#parts;
    if (generation === "struct") {
      return fromStruct(await client.call("Plugin.GKRegister", gob.any, null, GKRegistration));
    }
    const json = await client.call("Plugin.GKRegister", gob.any, null, gob.bytes);
    return fromJson(json) as Registration;
  }

  /** Go's host waits for the plugin's dial from Dispense on, and 5 s at most; here the time begins with Init. */
  async init(config: Record<string, string>, host: HostAPI, name: string): Promise<void> {
    const { rpc, broker } = this.#parts;
    await rpc.Init({ Config: config, HostAPIID: serveHostAPI(broker, host, name) });
  }

  async call(
    fn: string,
    args: unknown,
    options: { timeout: number; signal?: AbortSignal },
  ): Promise<unknown> {
    const { Result, Error: text } = await this.#parts.rpc.Call({ Function: fn, Args: toJson(args) }, options);
    if (text !== "") throw new PluginError(text);
    return fromJson(Result);
  }

  async shutdown(timeout: number): Promise<void> {
    await this.#parts.rpc.Shutdown(null, { timeout });
  }
}

export const gkplugin = netRpcPlugin(pluginMethods, { client: (parts) => new GKPluginClient(parts) });

export interface LoadOptions
  extends Pick<ClientConfig, "logger" | "syncStdout" | "syncStderr" | "startTimeout"> {
  /** Milliseconds that one call may take, unless the registration asks for less. Default: 30,000. */
  callTimeout?: number;
}

/** Starts a plugin and has it register (Go: LoadGRPCPlugin). Init comes separately. */
export async function loadGRPCPlugin(
  cmd: NonNullable<ClientConfig["cmd"]>,
  host: HostAPI,
  { callTimeout = 30_000, ...config }: LoadOptions = {},
): Promise<GRPCPlugin> {
  const client = new Client({
    handshakeConfig,
    plugins: { [pluginName]: gkplugin },
    cmd,
    allowedProtocols: ["netrpc"],
    ...config,
  });
  try {
    let plugin = await client.dispense(pluginName);
    let registration: Registration;
    try {
      registration = await plugin.register("json");
    } catch (error) {
      // A struct where bytes are expected ends the connection, as it does in Go; the process is well.
      if (!(error instanceof BadReplyError)) throw error;
      plugin = await client.dispense(pluginName);
      registration = await plugin.register("struct");
    }
    return new GRPCPlugin(client, plugin, registration, host, callTimeout);
  } catch (error) {
    await client.kill();
    throw error;
  }
}

/** A loaded plugin (Go: GRPCPlugin). */
export class GRPCPlugin {
  readonly registration: Registration;
  readonly callTimeout: number;
  readonly #client: Client;
  readonly #plugin: GKPluginClient;
  readonly #host: HostAPI;

  constructor(
    client: Client,
    plugin: GKPluginClient,
    registration: Registration,
    host: HostAPI,
    callTimeout: number,
  ) {
    this.#client = client;
    this.#plugin = plugin;
    this.#host = host;
    this.registration = registration;
    this.callTimeout = Math.min(callTimeout, milliseconds(registration.resources?.call_timeout) ?? Infinity);
  }

  init(config: Record<string, string> = {}): Promise<void> {
    const { name } = this.registration;
    const settings = { host_version: "0.6.4", plugin_name: name, ...config };
    return this.#plugin.init(settings, this.#host, name);
  }

  /**
   * Calls a function of the plugin.
   *
   * @throws PluginError - what the function failed with
   * @throws CallTimeoutError - of goplug; the plugin and its other calls go on
   */
  call(
    fn: string,
    args?: unknown,
    options: { timeout?: number; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    return this.#plugin.call(fn, args, { timeout: this.callTimeout, ...options });
  }

  /** Tells the plugin to clean up, then ends its process. */
  async shutdown(): Promise<void> {
    try {
      await this.#plugin.shutdown(5000);
    } finally {
      await this.#client.kill();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.kill();
  }
}

/** "250ms", "30s", "5m": the durations that registrations use. */
function milliseconds(duration: string | undefined): number | undefined {
  const match = /^([\d.]+)(ms|s|m|h)$/.exec(duration ?? "");
  if (match === null) return undefined;
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as "ms" | "s" | "m" | "h"];
}
