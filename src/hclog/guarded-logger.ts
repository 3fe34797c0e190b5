import { LEVELS, type Logger, type LogMethod } from "./logger.js";

const guarded = new WeakMap<Logger, Logger>();

/**
 * A logger of the user's that cannot end the process: goplug logs when a plugin prints, exits or breaks off, in moments
 * where nobody could catch what a logger throws. The first failure of each logger is told as a process warning
 * (`process.on("warning")`); its later ones are not. The same logger gives the same guarded one.
 */
export function guardedLogger(logger: Logger): Logger {
  const known = guarded.get(logger);
  if (known !== undefined) return known;
  const result = guard(logger, failureReport());
  guarded.set(logger, result);
  guarded.set(result, result);
  return result;
}

function guard(logger: Logger, report: (error: unknown) => void): Logger {
  const method =
    (level: (typeof LEVELS)[number]): LogMethod =>
    (message, fields) => {
      try {
        const answer: unknown =
          fields === undefined ? logger[level](message) : logger[level](message, fields);
        // An async function fails by its promise.
        if (answer instanceof Promise) answer.catch(report);
      } catch (error) {
        report(error);
      }
    };
  const [trace, debug, info, warn, error] = LEVELS.map(method) as [
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
  ];
  return {
    trace,
    debug,
    info,
    warn,
    error,
    named(name) {
      try {
        const child = logger.named?.(name);
        if (child !== undefined) return guard(child, report);
      } catch (failure) {
        report(failure);
      }
      return this;
    },
  };
}

function failureReport(): (error: unknown) => void {
  let reported = false;
  return (error) => {
    if (reported) return;
    reported = true;
    process.emitWarning(`a logger given to goplug failed, and its line is lost: ${describe(error)}`, {
      type: "GoplugWarning",
      code: "GOPLUG_LOGGER",
    });
  };
}

/** Errors may be anything, and even their texts may throw. */
function describe(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "its error cannot be shown";
  }
}
