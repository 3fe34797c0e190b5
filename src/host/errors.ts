import { GoplugError, type GoplugErrorOptions } from "../errors.js";
import { describeExit, type ExitStatus } from "../process/runner.js";
import type { HandshakeErrorCode } from "../protocol/errors.js";

/** The codes of {@link StartError}: those of a HandshakeError where one led to it, and */
export type StartErrorCode =
  | HandshakeErrorCode
  /** No handshake line within `startTimeout`. */
  | "ERR_START_TIMEOUT"
  /** The process ended before it had printed a handshake line. */
  | "ERR_START_EXITED"
  /** The announced address does not answer. */
  | "ERR_START_CONNECT";

/**
 * The plugin was launched, but did not become usable; its process is gone (unless it was reattached to). The message
 * holds its last stderr lines.
 */
export class StartError extends GoplugError {
  override readonly name = "StartError";
  /** The end of what the plugin wrote to stderr: up to 64 KiB. */
  readonly stderrTail: string;
  declare readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, stderrTail: string, options?: GoplugErrorOptions) {
    super(code, withTail(message, stderrTail), options);
    this.stderrTail = stderrTail;
  }
}

/**
 * The plugin's process ended, and with it the call, the connection or the wait that this error answers. The message
 * tells how, and shows the panic or the last stderr lines.
 */
export class PluginExitedError extends GoplugError {
  override readonly name = "PluginExitedError";
  /** How the process ended. */
  readonly exit: ExitStatus;
  /** The end of what the plugin wrote to stderr: up to 64 KiB. */
  readonly stderrTail: string;

  constructor(plugin: string, exit: ExitStatus, stderrTail: string, options?: GoplugErrorOptions) {
    super("ERR_PLUGIN_EXITED", withTail(`plugin ${plugin} ${describeExit(exit)}`, stderrTail), options);
    this.exit = exit;
    this.stderrTail = stderrTail;
  }
}

/** The host asked for a plugin type that it, or the plugin, does not have. */
export class UnknownPluginError extends GoplugError {
  override readonly name = "UnknownPluginError";

  constructor(plugin: string, known: readonly string[]) {
    super(
      "ERR_UNKNOWN_PLUGIN",
      `unknown plugin type: ${plugin} (the host knows: ${known.join(", ") || "none"})`,
    );
  }
}

/** The plugin speaks the other protocol, which this plugin type has no side for (texts as go-plugin's). */
export class WrongProtocolError extends GoplugError {
  override readonly name = "WrongProtocolError";

  constructor(message: string) {
    super("ERR_PLUGIN_PROTOCOL", message);
  }
}

/** The client was killed, or its start had failed: it cannot be used (again). */
export class ClientEndedError extends GoplugError {
  override readonly name = "ClientEndedError";

  constructor(message: string, cause?: unknown) {
    super("ERR_CLIENT_ENDED", message, { cause });
  }
}

const SHOWN_BYTES = 4096;

/** Appends what explains an end best: a Go panic from its first line on, else the last lines. */
export function withTail(message: string, tail: string): string {
  const trimmed = tail.trimEnd();
  if (trimmed === "") return message;
  const sentence = message.replace(/\.$/, "");
  const panic = /^(?:panic: |fatal error: )/m.exec(trimmed);
  if (panic !== null) {
    const trace = trimmed.slice(panic.index);
    return `${sentence}; it panicked:\n${trace.length > SHOWN_BYTES ? `${trace.slice(0, SHOWN_BYTES)}…` : trace}`;
  }
  const shown = trimmed.length > SHOWN_BYTES ? `…${trimmed.slice(-SHOWN_BYTES)}` : trimmed;
  return `${sentence}; the end of its stderr:\n${shown}`;
}
