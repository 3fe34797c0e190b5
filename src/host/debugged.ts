import type { PluginSet } from "../definition/plugin.js";
import { OptionError } from "../errors.js";
import { ENV } from "../protocol/constants.js";
import { checkConfig } from "./check-config.js";
import type { ClientConfig, ReattachConfig } from "./config.js";

/**
 * The configuration of a client that is being debugged: where GOPLUG_REATTACH names a plugin that runs already, it is the
 * one, and all that is about the start of another has no meaning.
 *
 * @throws OptionError - the variable does not hold what a plugin prints
 */
export function debuggedConfig<P extends PluginSet>(
  config: ClientConfig<P>,
  env: NodeJS.ProcessEnv = process.env,
): ClientConfig<P> {
  const text = env[ENV.reattach];
  if (config.debug !== true || config.reattach !== undefined || text === undefined || text === "")
    return config;
  const {
    cmd: _,
    runner: __,
    secureConfig: ___,
    autoMTLS: ____,
    grpcBrokerMultiplex: _____,
    ...rest
  } = config;
  try {
    const reattached = { ...rest, reattach: JSON.parse(text) as ReattachConfig };
    checkConfig(reattached as ClientConfig);
    return reattached;
  } catch (cause) {
    throw new OptionError(ENV.reattach, `${ENV.reattach} cannot be used: ${(cause as Error).message}`);
  }
}
