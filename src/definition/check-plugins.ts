import { badOption, OptionError } from "../errors.js";
import { LEVELS } from "../hclog/logger.js";
import { anyText, type Check, type Fields, isObject, object, oneOf, text, wholeNumber } from "../options.js";
import { isUnimplemented } from "./unimplemented.js";

/** What is checked of a plugin type where it is hosted, or served. @throws OptionError */
export type PluginCheck = (name: string, plugin: Fields) => void;

export const version: Check = (name, value) => void wholeNumber(name, value, 0, Number.MAX_SAFE_INTEGER);

export const logger: Check = (name, value: Fields) => {
  const missing = isObject(value) ? LEVELS.filter((level) => typeof value[level] !== "function") : LEVELS;
  if (missing.length === 0) return;
  const given = isObject(value) ? `an object without ${missing.join(", ")}` : String(value);
  throw new OptionError(name, `${name} must have the methods ${LEVELS.join(", ")}, but is ${given}`);
};

export const grpcTransport = oneOf("goplug", "grpc-js");

const PLUGIN_TYPE = "a plugin type, as netRpcPlugin() or grpcPlugin() makes it";

/** A plugin type that a host can dispense. */
export const hosted: PluginCheck = (name, plugin) => {
  if (typeof plugin.client === "function" || typeof plugin.grpcClient === "function") return;
  throw badOption(name, PLUGIN_TYPE, plugin);
};

/** A plugin type that a plugin can serve. */
export const served: PluginCheck = (name, plugin) => {
  const sides = [plugin.server, plugin.grpcServer].filter((side) => side !== undefined);
  if (sides.length === 0 || !sides.every((side) => typeof side === "function")) {
    throw badOption(name, PLUGIN_TYPE, plugin);
  }
  if (!sides.every(isUnimplemented)) return;
  throw new OptionError(name, `${name} has no implementation: serve what its implement() returns`);
};

export const pluginSet =
  (check: PluginCheck): Check =>
  (name, value: unknown) => {
    if (!isObject(value)) throw badOption(name, "an object of plugin types by their names", value);
    for (const [key, plugin] of Object.entries(value)) {
      if (!isObject(plugin)) throw badOption(`${name}.${key}`, PLUGIN_TYPE, plugin);
      check(`${name}.${key}`, plugin);
    }
  };

export const versionedPlugins =
  (check: PluginCheck): Check =>
  (name, value: unknown) => {
    if (!isObject(value)) throw badOption(name, "an object of plugin sets by their version", value);
    for (const [key, set] of Object.entries(value)) {
      if (!/^-?\d+$/.test(key)) throw badOption(`a key of ${name}`, "a version, a whole number", key);
      pluginSet(check)(`${name}[${key}]`, set as never);
    }
  };

/** The name of a variable of the environment, or nothing. */
export const variableName: Check = (name, value) => {
  anyText(name, value);
  if (/[=\0]/.test(value)) throw badOption(name, "the name of a variable, without = and NUL", value);
};

/** A variable's value, or nothing. */
export const variableValue: Check = (name, value) => {
  anyText(name, value);
  if (/\0/.test(value)) throw badOption(name, "a text without a NUL byte", value);
};

const both =
  (...checks: readonly Check[]): Check =>
  (name, value) => {
    for (const check of checks) check(name, value);
  };

const handshakeShape = {
  protocolVersion: version,
  magicCookieKey: both(text, variableName),
  magicCookieValue: both(text, variableValue),
};

/** The handshake that host and plugin share. */
export const handshake = object(
  "an object of magicCookieKey, magicCookieValue and protocolVersion, as the plugin's author gives them",
  handshakeShape,
  ["magicCookieKey", "magicCookieValue"],
);

/** Whether the fields of the handshake stand where the handshake should. @throws OptionError */
export function checkHandshakeIsThere(config: object): void {
  if ("handshakeConfig" in config || !Object.keys(handshakeShape).some((name) => name in config)) return;
  const names = Object.keys(handshakeShape).join(", ");
  throw new OptionError(
    "handshakeConfig",
    `handshakeConfig is missing: ${names} belong into it, as one object`,
  );
}
