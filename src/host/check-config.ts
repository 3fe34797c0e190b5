import {
  checkHandshakeIsThere,
  grpcTransport,
  handshake,
  hosted,
  logger,
  pluginSet,
  version,
  versionedPlugins,
} from "../definition/check-plugins.js";
import { warnOfUnknownOptions } from "../definition/unknown-options.js";
import { badOption, OptionError, shown } from "../errors.js";
import { type Logger, levelCheck } from "../hclog/logger.js";
import {
  boolean,
  type Check,
  calling,
  checkFields,
  type Fields,
  isObject,
  list,
  object,
  oneOf,
  port,
  text,
  time,
  timeLimit,
  wholeNumber,
  writable,
} from "../options.js";
import { checkPid } from "../process/signal-process.js";
import { DEFAULT_MAX_PORT, DEFAULT_MIN_PORT, DEFAULT_START_TIMEOUT } from "../protocol/constants.js";
import { isAddress } from "../protocol/handshake-line.js";
import type { ClientConfig } from "./config.js";

const LARGEST_LOG_BUFFER = 1 << 30;

function withoutNul(name: string, value: string): void {
  if (value.includes("\0")) throw badOption(name, "a text without a NUL byte", value);
}

const systemText: Check = (name, value) => {
  text(name, value);
  withoutNul(name, value);
};

const commandObject = object(
  "",
  {
    path: systemText,
    args(name, value: never) {
      list("a list of texts")(name, value);
      for (const [i, argument] of (value as readonly string[]).entries())
        withoutNul(`${name}[${i}]`, argument);
    },
    env: object("an object of texts by the names of variables", {}),
    cwd: systemText,
  },
  ["path"],
);

const COMMAND_LIST = "a list of texts that begins with the executable";

const command: Check = (name, value: unknown) => {
  if (Array.isArray(value)) {
    if (value.length === 0) throw badOption(name, COMMAND_LIST, value);
    value.forEach((part, i) => {
      if (typeof part !== "string" || (i === 0 && part === ""))
        throw new OptionError(name, `${name} must be ${COMMAND_LIST}, but ${name}[${i}] is ${shown(part)}`);
      withoutNul(`${name}[${i}]`, part);
    });
  } else if (isObject(value)) commandObject(name, value as never);
  else {
    // A text could be a path with blanks in it or a line for a shell; guessing wrong would run something else.
    throw badOption(name, 'a list, ["./plugin", "argument"], or an object, { path, args, env, cwd }', value);
  }
};

const protocol = oneOf("netrpc", "grpc");

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
  plugins: pluginSet(hosted),
  versionedPlugins: versionedPlugins(hosted),
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
  grpcTransport,
  managed: boolean,
  killWithHost: boolean,
  watchdog: boolean,
  startTimeout: (name, value) => void timeLimit(name, value, DEFAULT_START_TIMEOUT),
  unansweredWarning: time,
  debug: boolean,
  stderr: writable,
  syncStdout: writable,
  syncStderr: writable,
  logger,
  exitLogLevel: object("an object of success and failure", { success: levelCheck, failure: levelCheck }),
  pluginLogBufferSize: (name, value) => void wholeNumber(name, value, 0, LARGEST_LOG_BUFFER),
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
  checkHandshakeIsThere(config);
  checkFields("", config as unknown as Fields, shape, ["handshakeConfig"]);
  const { plugins } = config;
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

const OF_COMMAND = "it belongs into cmd, { path, args, env, cwd }";
const OF_CALLS = "it belongs to the methods: start, client, dispense, ping";

/** Warns of options that a client does not have. */
export function warnOfUnknown(config: ClientConfig, logger: Logger): void {
  warnOfUnknownOptions(config, Object.keys(shape), logger, {
    args: OF_COMMAND,
    env: OF_COMMAND,
    cwd: OF_COMMAND,
    signal: OF_CALLS,
    timeout: `${OF_CALLS}; the start has startTimeout`,
  });
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
