import { LONGEST_TIMER } from "../options.js";
import { YamuxError } from "./errors.js";

/** Each direction of each stream starts with this credit, whatever the configuration says (spec.md, "Flow Control"). */
export const INITIAL_WINDOW = 262_144;

/** How a session behaves: the names, defaults and checks of Go's yamux.Config (mux.go); times in milliseconds. */
export interface SessionConfig {
  /** Streams that may wait to be accepted, assumed to be the same on both sides. Default 256. */
  acceptBacklog?: number | undefined;
  /** Ping the peer regularly and close the session when it does not answer. Default true. */
  enableKeepAlive?: boolean | undefined;
  /** Pause between an answered keepalive ping and the next. Default 30,000 ms. */
  keepAliveInterval?: number | undefined;
  /** How long a write to the connection, or the answer to a ping, may take. Default 10,000 ms. */
  connectionWriteTimeout?: number | undefined;
  /**
   * Bytes that a stream may receive ahead of its reader, at least 262,144. Default 262,144, from which the window of a
   * stream whose reader keeps up grows to 1,048,576; one that is set stays as it is.
   */
  maxStreamWindowSize?: number | undefined;
  /** How long the peer may take to accept a stream before the session is closed; 0 = for ever. Default 75,000 ms. */
  streamOpenTimeout?: number | undefined;
  /** How long a stream that only this side has ended may linger before it is reset; 0 = for ever. Default 300,000 ms. */
  streamCloseTimeout?: number | undefined;
}

/** A {@link SessionConfig} with every option filled in. */
export type ResolvedConfig = { readonly [K in keyof SessionConfig]-?: NonNullable<SessionConfig[K]> };

/** Go's DefaultConfig (mux.go). */
export const defaultConfig: ResolvedConfig = Object.freeze({
  acceptBacklog: 256,
  enableKeepAlive: true,
  keepAliveInterval: 30_000,
  connectionWriteTimeout: 10_000,
  maxStreamWindowSize: INITIAL_WINDOW,
  streamOpenTimeout: 75_000,
  streamCloseTimeout: 300_000,
});

/** For sessions of which either side may stand still at a breakpoint, for as long as that takes. */
export const patientConfig: SessionConfig = Object.freeze({
  enableKeepAlive: false,
  connectionWriteTimeout: LONGEST_TIMER,
  streamOpenTimeout: 0,
  streamCloseTimeout: 0,
});

function invalid(message: string): YamuxError {
  return new YamuxError("ERR_YAMUX_INVALID_CONFIG", { message });
}

// Longer than a timer can hold is for ever, as everywhere in goplug.
function checkTime(name: string, value: number, lowest: number): void {
  if (typeof value !== "number" || !(value >= lowest))
    throw invalid(`${name} must be at least ${lowest} milliseconds, not ${String(value)}`);
}

/**
 * Fills in the defaults and checks the values as Go's VerifyConfig does.
 * @throws YamuxError ERR_YAMUX_INVALID_CONFIG
 */
export function resolveConfig(config: SessionConfig = {}): ResolvedConfig {
  const resolved: ResolvedConfig = {
    acceptBacklog: config.acceptBacklog ?? defaultConfig.acceptBacklog,
    enableKeepAlive: config.enableKeepAlive ?? defaultConfig.enableKeepAlive,
    keepAliveInterval: config.keepAliveInterval ?? defaultConfig.keepAliveInterval,
    connectionWriteTimeout: config.connectionWriteTimeout ?? defaultConfig.connectionWriteTimeout,
    maxStreamWindowSize: config.maxStreamWindowSize ?? defaultConfig.maxStreamWindowSize,
    streamOpenTimeout: config.streamOpenTimeout ?? defaultConfig.streamOpenTimeout,
    streamCloseTimeout: config.streamCloseTimeout ?? defaultConfig.streamCloseTimeout,
  };
  const { acceptBacklog, maxStreamWindowSize } = resolved;
  if (!Number.isSafeInteger(acceptBacklog) || acceptBacklog <= 0)
    throw invalid(`backlog must be positive: acceptBacklog is ${String(acceptBacklog)}`);
  if (
    !Number.isInteger(maxStreamWindowSize) ||
    maxStreamWindowSize < INITIAL_WINDOW ||
    maxStreamWindowSize > 0xffff_ffff
  )
    throw invalid(
      `MaxStreamWindowSize must be at least ${INITIAL_WINDOW} and fit 32 bits: ` +
        `maxStreamWindowSize is ${String(maxStreamWindowSize)}`,
    );
  checkTime("keepAliveInterval", resolved.keepAliveInterval, 1);
  checkTime("connectionWriteTimeout", resolved.connectionWriteTimeout, 1);
  checkTime("streamOpenTimeout", resolved.streamOpenTimeout, 0);
  checkTime("streamCloseTimeout", resolved.streamCloseTimeout, 0);
  return resolved;
}
