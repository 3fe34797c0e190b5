import {
  checkHandshakeIsThere,
  grpcTransport,
  logger,
  pluginSet,
  served,
  variableName,
  variableValue,
  version,
  versionedPlugins,
} from "../definition/check-plugins.js";
import { warnOfUnknownOptions } from "../definition/unknown-options.js";
import { badOption } from "../errors.js";
import type { Logger } from "../hclog/logger.js";
import { unansweredLimit } from "../netrpc/server-options.js";
import {
  abortSignal,
  boolean,
  type Check,
  calling,
  checkFields,
  type Fields,
  gracePeriod,
  isObject,
  object,
  oneOf,
  port,
} from "../options.js";
import type { ServeConfig } from "./serve-config.js";

const grpcServerOptions = object("", {
  options: object("an object of grpc-js's server options", {}),
  gracePeriod: (name, value) => void gracePeriod(name, value, 0),
  descriptors(name, value: unknown) {
    if (value instanceof Uint8Array || typeof value === "function") return;
    throw badOption(name, "the bytes of a FileDescriptorSet, or a function that gives them", value);
  },
});

const shape: Readonly<Record<keyof ServeConfig, Check>> = {
  // What lacks a cookie is told so in go-plugin's words, where the cookie is compared.
  handshakeConfig: object(
    "an object of magicCookieKey, magicCookieValue and protocolVersion, as the hosts have it",
    { protocolVersion: version, magicCookieKey: variableName, magicCookieValue: variableValue },
  ),
  plugins: pluginSet(served),
  versionedPlugins: versionedPlugins(served),
  logger,
  network: oneOf("unix", "tcp"),
  port,
  onServing: calling,
  tlsProvider: calling,
  grpcServer(name, value: unknown) {
    if (value === true) return;
    if (!isObject(value)) throw badOption(name, "true, or an object of options and gracePeriod", value);
    grpcServerOptions(name, value as never);
  },
  grpcTransport,
  endWhenOrphaned: boolean,
  exit: boolean,
  stopOnInterrupt: boolean,
  debug: boolean,
  signal: abortSignal,
  test: object("an object of onReattachConfig and syncStdio", {
    onReattachConfig: calling,
    syncStdio: boolean,
  }),
  maxUnansweredBytes: (_name, value: number) => void unansweredLimit({ maxUnansweredBytes: value }),
};

/** Checks a whole configuration, for those whose compiler did not. @throws OptionError */
export function checkServeConfig(config: ServeConfig): void {
  if (!isObject(config)) throw badOption("the configuration", "an object", config);
  checkHandshakeIsThere(config);
  checkFields("", config as Fields, shape, ["handshakeConfig"]);
}

/** Warns of options that serve does not have. */
export function warnOfUnknown(config: ServeConfig, logger: Logger): void {
  warnOfUnknownOptions(config, Object.keys(shape), logger);
}
