// A GoatKit plugin in TypeScript.
import { gob, type MuxBroker, netRpcPlugin, serve } from "goplug";
import { fromJson, type Generation, handshakeConfig, pluginMethods, pluginName, toJson } from "./contract.ts";
import { GKRegistration } from "./gen/definitions.ts";
import { HostAPIClient } from "./host-api.ts";
import { type Registration, toStruct } from "./registration.ts";

/** What a plugin implements (Go: GKPluginInterface with InitWithHost). */
export interface GKPlugin {
  gkRegister(): Registration | Promise<Registration>;
  init(config: Record<string, string>, host: HostAPIClient): void | Promise<void>;
  /** What it throws is the error of the host's call. */
  call(fn: string, args: unknown): unknown;
  shutdown(): void | Promise<void>;
}

/** The methods that both generations have in common (Go: GKPluginRPCServer). */
function receiver(impl: GKPlugin, broker: MuxBroker) {
  return {
    async Init({ Config, HostAPIID }: gob.Output<(typeof pluginMethods)["Init"][0]>) {
      const config = Object.fromEntries(Config);
      const name = config.plugin_name ?? (await impl.gkRegister()).name;
      await impl.init(config, await HostAPIClient.connect(broker, HostAPIID, name));
      return null;
    },
    async Call({ Function: fn, Args }: gob.Output<(typeof pluginMethods)["Call"][0]>) {
      try {
        return { Result: toJson(await impl.call(fn, fromJson(Args))) };
      } catch (error) {
        return { Error: error instanceof Error ? error.message : String(error) };
      }
    },
    async Shutdown() {
      await impl.shutdown();
      return null;
    },
  };
}

const definitions = {
  json: (impl: GKPlugin) =>
    netRpcPlugin({ GKRegister: [gob.any, gob.bytes], ...pluginMethods }).implement((broker) => ({
      ...receiver(impl, broker),
      GKRegister: async () => toJson(await impl.gkRegister()),
    })),
  struct: (impl: GKPlugin) =>
    netRpcPlugin({ GKRegister: [gob.any, GKRegistration], ...pluginMethods }).implement((broker) => ({
      ...receiver(impl, broker),
      GKRegister: async () => toStruct(await impl.gkRegister()),
    })),
};

/** Serves a plugin (Go: ServePlugin). Hosts of the first generation want `generation: "struct"`. */
export function servePlugin(impl: GKPlugin, generation: Generation = "json"): Promise<void> {
  return serve({ handshakeConfig, plugins: { [pluginName]: definitions[generation](impl) } });
}
