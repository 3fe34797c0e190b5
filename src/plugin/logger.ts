import { type JsonLoggerOptions, jsonLogger } from "../hclog/json-logger.js";
import type { Logger } from "../hclog/logger.js";
import { writeRealStderr } from "./stdio-capture.js";

/**
 * A logger for plugins: hclog's JSON lines on the process's real stderr, also once `serve` has redirected
 * process.stderr. A Go host, or a goplug one, logs them again under the plugin's name, each at its own level.
 */
export function pluginLogger(options: Omit<JsonLoggerOptions, "write"> = {}): Logger {
  return jsonLogger({ ...options, write: writeRealStderr });
}
