import { writeRealStderr } from "./stdio-capture.js";

/**
 * Has an uncaught exception look to hosts as a Go plugin's panic does: they log what follows a line that begins with `panic: `, Node's
 * own report with the stack, at error, and goplug's show it in the errors of running calls. Without that line a host that logs from
 * info on shows nothing but an exit status. Nothing is written where the process has a handler of its own, and lives on.
 * @returns what ends it
 */
export function announcePanics(): () => void {
  process.on("uncaughtExceptionMonitor", announce);
  return () => void process.off("uncaughtExceptionMonitor", announce);
}

function announce(error: unknown): void {
  if (process.listenerCount("uncaughtException") > 0) return;
  if (process.hasUncaughtExceptionCaptureCallback?.()) return;
  writeRealStderr(`panic: ${textOfThrown(error)}\n`);
}

/** What is thrown may be anything, and its own way to become a text may throw. */
function textOfThrown(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "a value that cannot be shown";
  }
}
