import type { HandshakeConfig } from "../protocol/constants.js";

/** What a plugin prints whose author forgot the cookie (go-plugin's words; people search for them). */
const NO_COOKIE_CONFIGURED = `Misconfigured ServeConfig given to serve this plugin: no magic cookie
key or value was set. Please notify the plugin author and report
this as a bug.
`;

/** What a plugin prints that was not started by a host of its kind (go-plugin's words). */
const NOT_STARTED_BY_HOST = `This binary is a plugin. These are not meant to be executed directly.
Please execute the program that consumes these plugins, which will
load any plugins automatically
`;

/** The text to put on stderr before exiting with code 1, or undefined if a host of the right kind started us. */
export function cookieProblem(
  config: HandshakeConfig,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (!config.magicCookieKey || !config.magicCookieValue) return NO_COOKIE_CONFIGURED;
  return env[config.magicCookieKey] === config.magicCookieValue ? undefined : NOT_STARTED_BY_HOST;
}

/** Whether a host of the right kind started this process, as far as its cookie tells. */
export function isStartedByHost(
  { magicCookieKey, magicCookieValue }: HandshakeConfig,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return env[magicCookieKey] === magicCookieValue;
}
