import { badOption } from "../errors.js";
import { wholeNumber } from "../options.js";

/** The highest process id that any system gives (pid_t is 32 bits wide, and signed). */
const HIGHEST_PID = 2 ** 31 - 1;

/**
 * A number that names one process. To the system 0 is the caller's own group, and a negative number a group or, with
 * -1, every process that the caller may signal: none of these ever comes from goplug.
 *
 * @throws OptionError
 */
export function checkPid(name: string, pid: unknown): number {
  if (typeof pid === "number" && pid > 0) return wholeNumber(name, pid, 1, HIGHEST_PID);
  throw badOption(name, "the id of a process, a whole number above 0", pid);
}

/**
 * The one way by which goplug signals a process by its id. With signal 0 it only looks whether the process is there.
 *
 * @throws OptionError - the pid is not that of one process; the system's errors (ESRCH, EPERM)
 */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): void {
  process.kill(checkPid("pid", pid), signal);
}
