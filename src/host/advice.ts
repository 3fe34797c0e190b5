import type { HandshakeConfig } from "../protocol/constants.js";
import type { HandshakeErrorCode } from "../protocol/errors.js";

/** What go-plugin's plugins print on stderr when they do not find the cookie that they want (server.go, Serve). */
const WRONG_COOKIE = /This binary is a plugin\. These are not meant to be executed directly/;
/** What they print when their own author gave them none. */
const NO_COOKIE = /no magic cookie key or value was set/;

/** What to do about a handshake line that is not acceptable; empty where the error's own text says it. */
export function adviceOnHandshake(code: HandshakeErrorCode): string {
  switch (code) {
    case "ERR_HANDSHAKE_LINE":
      return (
        "The first line on a plugin's stdout must be its handshake. Whatever it prints while it starts (an import, a " +
        "banner, dotenv) must go to stderr; a plugin in TypeScript can make goplug/capture its first import instead."
      );
    case "ERR_HANDSHAKE_PROTOCOL":
      return "Name the plugin's protocol in allowedProtocols, if there are plugin types for it.";
    case "ERR_HANDSHAKE_APP_VERSION":
      return "handshakeConfig.protocolVersion, or a key of versionedPlugins, must be a version that the plugin has.";
    case "ERR_HANDSHAKE_MULTIPLEX":
      return "Leave grpcBrokerMultiplex out, or update the plugin's go-plugin.";
    default:
      return "";
  }
}

/** What to do about a plugin that ended before its handshake, going by what it said. */
export function adviceOnExit(stderr: string, { magicCookieKey }: HandshakeConfig): string {
  if (WRONG_COOKIE.test(stderr)) {
    return (
      `The plugin has not found its cookie: handshakeConfig's magicCookieKey (${magicCookieKey}) or magicCookieValue ` +
      "is not the plugin's own."
    );
  }
  return NO_COOKIE.test(stderr)
    ? "The plugin's own configuration has no cookie: its author must set one."
    : "";
}

/** What to do about a plugin that said nothing in time. */
export function adviceOnSilence(stderr: string, env: Readonly<Record<string, string | undefined>>): string {
  const waits =
    /^Debugger listening on /m.test(stderr) || /--inspect-(?:brk|wait)\b/.test(env.NODE_OPTIONS ?? "");
  if (!waits) return "";
  return (
    "Its debugger was listening: a plugin that is started with --inspect-brk waits for one. Attach it, and give the " +
    "client a startTimeout of Infinity (or debug: true), or take --inspect-brk out of NODE_OPTIONS."
  );
}

/** Puts what to do behind what happened. */
export function withAdvice(message: string, advice: string): string {
  return advice === "" ? message : `${message}\n${advice}`;
}
