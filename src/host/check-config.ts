import { badOption, OptionError } from "../errors.js";
import { LEVELS, type Level } from "../hclog/logger.js";
import { timeLimit, wholeNumber } from "../options.js";
import { checkPid } from "../process/signal-process.js";
import { DEFAULT_MAX_PORT, DEFAULT_MIN_PORT, DEFAULT_START_TIMEOUT } from "../protocol/constants.js";
import { isAddress } from "../protocol/handshake-line.js";
import type { ClientConfig } from "./config.js";

type Check = (name: string, value: never) => void;
type Shape = Readonly<Record<string, Check>>;
type Fields = Readonly<Record<string, unknown>>;

const highestPort = 65_535;
const largestLogBuffer = 1 << 30;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const boolean: Check = (name, value: unknown) => {
  if (typeof value !== "boolean") throw badOption(name, "true or false", value);
};

const text: Check = (name, value: unknown) => {
  if (typeof value !== "string" || value === "") throw badOption(name, "a text that is not empty", value);
};

const calling: Check = (name, value: unknown) => {
  if (typeof value !== "function") throw badOption(name, "a function", value);
};

const port: Check = (name, value) => void wholeNumber(name, value, 0, highestPort);

const version: Check = (name, value) => void wholeNumber(name, value, 0, Number.MAX_SAFE_INTEGER);

const list =
  (wanted: string): Check =>
  (name, value: unknown) => {
    if (!Array.isArray(value) || !value.every((entry) => typeof entry === "string")) {
      throw badOption(name, wanted, value);
    }
  };

const writable: Check = (name, value: Fields) => {
  const isWritable = isObject(value) && typeof value.write === "function" && typeof value.on === "function";
  if (!isWritable) throw badOption(name, "a Writable, such as process.stdout", value);
};

const logger: Check = (name, value: Fields) => {
  const missing = isObject(value) ? LEVELS.filter((level) => typeof value[level] !== "function") : LEVELS;
  if (missing.length === 0) return;
  const given = isObject(value) ? `an object without ${missing.join(", ")}` : String(value);
  throw new OptionError(name, `${name} must have the methods ${LEVELS.join(", ")}, but is ${given}`);
};

/** An object each of whose known fields, where it is given, passes its check. */
const object =
  (wanted: string, shape: Shape, required: readonly string[] = []): Check =>
  (name, value: unknown) => {
    if (!isObject(value)) throw badOption(name, wanted, value);
    checkNames(`${name}.`, value, shape);
    for (const [field, check] of Object.entries(shape)) {
      const given = value[field];
      if (given !== undefined || required.includes(field)) check(`${name}.${field}`, given as never);
    }
  };

/** Names that differ from a known one in their letters' case alone are not what their user meant them to be. */
function checkNames(prefix: string, given: Fields, shape: Shape): void {
  const known = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  for (const name of Object.keys(given)) {
    const meant = known.get(name.toLowerCase());
    if (meant === undefined || meant === name) continue;
    throw new OptionError(
      `${prefix}${name}`,
      `there is no option ${prefix}${name}; it is called ${prefix}${meant}`,
    );
  }
}

const pluginSet: Check = (name, value: unknown) => {
  if (!isObject(value)) throw badOption(name, "an object of plugin types by their names", value);
  for (const [key, plugin] of Object.entries(value)) {
    const parts = plugin as Fields | null | undefined;
    if (typeof parts?.client === "function" || typeof parts?.grpcClient === "function") continue;
    throw badOption(`${name}.${key}`, "a plugin type, as netRpcPlugin() or grpcPlugin() makes it", plugin);
  }
};

const versionedPlugins: Check = (name, value: unknown) => {
  if (!isObject(value)) throw badOption(name, "an object of plugin sets by their version", value);
  for (const [key, set] of Object.entries(value)) {
    if (!/^-?\d+$/.test(key)) throw badOption(`a key of ${name}`, "a version, a whole number", key);
    pluginSet(`${name}[${key}]`, set as never);
  }
};

const handshakeShape = { protocolVersion: version, magicCookieKey: text, magicCookieValue: text };

const handshake = object(
  "an object of magicCookieKey, magicCookieValue and protocolVersion, as the plugin's author gives them",
  handshakeShape,
  ["magicCookieKey", "magicCookieValue"],
);

const commandObject = object(
  "",
  {
    path: text,
    args: list("a list of texts"),
    env: object("an object of texts by the names of variables", {}),
    cwd: text,
  },
  ["path"],
);

const command: Check = (name, value: unknown) => {
  if (Array.isArray(value)) {
    const isCommand = value.length > 0 && value.every((part) => typeof part === "string") && value[0] !== "";
    if (!isCommand) throw badOption(name, "a list of texts that begins with the executable", value);
  } else if (isObject(value)) commandObject(name, value as never);
  else {
    // A text could be a path with blanks in it or a line for a shell; guessing wrong would run something else.
    throw badOption(name, 'a list, ["./plugin", "argument"], or an object, { path, args, env, cwd }', value);
  }
};

const protocol: Check = (name, value: unknown) => {
  if (value !== "netrpc" && value !== "grpc") throw badOption(name, '"netrpc" or "grpc"', value);
};

const protocols: Check = (name, value: unknown) => {
  if (!Array.isArray(value) || value.length === 0)
    throw badOption(name, 'a list of "netrpc" and "grpc"', value);
  for (const [i, entry] of value.entries()) protocol(`${name}[${i}]`, entry as never);
};

const address: Check = (name, value: unknown) => {
  if (!isObject(value)) throw badOption(name, "an object of network and address", value);
  const { network, address } = value;
  if (network !== "unix" && network !== "tcp") throw badOption(`${name}.network`, '"unix" or "tcp"', network);
  if (typeof address !== "string" || !isAddress(network, address)) {
    throw badOption(`${name}.address`, network === "unix" ? "the path of a socket" : "host:port", address);
  }
};

const level: Check = (name, value: unknown) => {
  if (value !== "off" && !LEVELS.includes(value as Level)) {
    throw badOption(name, `one of ${LEVELS.join(", ")}, off`, value);
  }
};

const reattach = object(
  "what Client.reattachConfig() of another client gave",
  {
    protocol,
    protocolVersion: version,
    address,
    pid: (name, value) => void checkPid(name, value),
    startTime: text,
    runner: calling,
    test: boolean,
  },
  ["address"],
);

const shape: Readonly<Record<keyof ClientConfig, Check>> = {
  handshakeConfig: handshake,
  plugins: pluginSet,
  versionedPlugins,
  cmd: command,
  reattach,
  runner: calling,
  secureConfig: object("an object of checksum and hash", {
    checksum: () => {},
    hash: () => {},
    pinned: boolean,
  }),
  tlsConfig: object("an object of options for tls.connect", {}),
  autoMTLS: boolean,
  allowedProtocols: protocols,
  grpcBrokerMultiplex: boolean,
  grpcChannelOptions: object("an object of grpc-js's channel options", {}),
  grpcTransport: (name, value) => {
    if (value !== "goplug" && value !== "grpc-js") throw badOption(name, '"goplug" or "grpc-js"', value);
  },
  managed: boolean,
  killWithHost: boolean,
  watchdog: boolean,
  startTimeout: (name, value) => void timeLimit(name, value, DEFAULT_START_TIMEOUT),
  unansweredWarning: (name, value) => void timeLimit(name, value, Infinity),
  debug: boolean,
  stderr: writable,
  syncStdout: writable,
  syncStderr: writable,
  logger,
  exitLogLevel: object("an object of success and failure", { success: level, failure: level }),
  pluginLogBufferSize: (name, value) => void wholeNumber(name, value, 0, largestLogBuffer),
  skipHostEnv: boolean,
  unixSocketConfig: object("an object of group and tempDir", { group: text, tempDir: text }),
  minPort: port,
  maxPort: port,
};

/**
 * Checks a whole configuration, for those whose compiler did not. go-plugin finds some of it at the start (client.go);
 * a constructor that throws finds it sooner.
 *
 * @throws OptionError - with go-plugin's text where it has one
 */
export function checkConfig(config: ClientConfig): void {
  if (!isObject(config)) throw badOption("the configuration", "an object", config);
  checkNames("", config, shape);
  const { handshakeConfig, plugins } = config;
  if (handshakeConfig === undefined && Object.keys(handshakeShape).some((name) => name in config)) {
    const names = Object.keys(handshakeShape).join(", ");
    throw new OptionError(
      "handshakeConfig",
      `handshakeConfig is missing: ${names} belong into it, as one object`,
    );
  }
  handshake("handshakeConfig", handshakeConfig as never);
  for (const [name, check] of Object.entries(shape)) {
    const value = config[name as keyof ClientConfig];
    if (value !== undefined) check(name, value as never);
  }
  if (plugins === undefined && config.versionedPlugins === undefined) {
    throw new OptionError("plugins", "plugins or versionedPlugins must be given");
  }
  const { minPort = DEFAULT_MIN_PORT, maxPort = DEFAULT_MAX_PORT } = config;
  if (minPort > maxPort) {
    throw new OptionError(
      "minPort",
      `minPort must not be above maxPort, but they are ${minPort} and ${maxPort}`,
    );
  }
  checkSource(config);
}

/** What says where the plugin comes from, and what excludes it. */
function checkSource({ cmd, reattach, runner, ...config }: ClientConfig): void {
  const sources = (cmd !== undefined || runner !== undefined ? 1 : 0) + (reattach !== undefined ? 1 : 0);
  if (sources !== 1) throw new OptionError("cmd", "exactly one of cmd, or reattach, or runner must be set");
  if (reattach === undefined) {
    if (config.autoMTLS === true && config.tlsConfig !== undefined) {
      throw new OptionError("tlsConfig", "only one of autoMTLS or tlsConfig can be set");
    }
    return;
  }
  if (config.secureConfig !== undefined) {
    throw new OptionError("secureConfig", "only one of reattach or secureConfig can be set");
  }
  if (config.autoMTLS === true) throw new OptionError("autoMTLS", "autoMTLS cannot be used with reattach");
  if (config.grpcBrokerMultiplex === true) {
    throw new OptionError(
      "grpcBrokerMultiplex",
      "gRPC broker multiplexing is not supported with reattach config",
    );
  }
  if (reattach.pid === undefined && reattach.runner === undefined && reattach.test !== true) {
    throw new OptionError("reattach", "reattach needs a pid or a runner");
  }
}
