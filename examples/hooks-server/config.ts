import type { Level } from "goplug";

/** What the server that starts the plugin tells it. */
export interface Config {
  readonly pluginId: string;
  /** Where the server's API is. */
  readonly apiTarget: string;
  /** Milliseconds that a hook may take. */
  readonly hookTimeout: number;
  readonly logLevel: Level;
}

const levels: Record<string, Level> = { DEBUG: "debug", INFO: "info", WARNING: "warn", ERROR: "error" };

/** Reads the variables of the Mattermost Python SDK; what is missing or makes no sense has that SDK's default. */
export function configFromEnvironment(env: NodeJS.ProcessEnv = process.env): Config {
  const seconds = Number(env.MATTERMOST_PLUGIN_HOOK_TIMEOUT);
  return {
    pluginId: env.MATTERMOST_PLUGIN_ID ?? "",
    apiTarget: env.MATTERMOST_PLUGIN_API_TARGET || "127.0.0.1:50051",
    hookTimeout: seconds > 0 ? seconds * 1000 : 30_000,
    logLevel: levels[env.MATTERMOST_PLUGIN_LOG_LEVEL?.toUpperCase() ?? ""] ?? "info",
  };
}
