import { constants } from "node:os";
import { signalProcess } from "../signal-process.js";

/**
 * The signals that end a process which does not handle them, as far as Node lets a program listen to them. Not SIGUSR1,
 * which starts Node's debugger, and not those that mean a crash of this very process: the watchdog is there for them.
 */
const ENDING_SIGNALS = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGABRT",
  "SIGBREAK",
  "SIGALRM",
  "SIGUSR2",
  "SIGVTALRM",
  "SIGXCPU",
] as const satisfies readonly NodeJS.Signals[];

interface HookCount {
  count: number;
}

const shared = globalThis as { [key: symbol]: HookCount | undefined };
const ownKey = Symbol.for("goplug ending signals");

/** How many copies of this library listen to each signal: a bundle, or another package, may bring its own. */
function ownHooks(): HookCount {
  shared[ownKey] ??= { count: 0 };
  return shared[ownKey];
}

/**
 * How many of a signal's listeners only clean up and then let the signal take its effect, once no other listener is
 * left: those of this library, and those of the package signal-exit, which many others bring along (both its versions
 * in use keep their number where others find it). If one took another for a user's handler, the signal would end
 * nothing.
 */
function countHooks(): number {
  const { [Symbol.for("signal-exit emitter")]: current } = shared;
  const { __signal_exit_emitter__: older } = process as { __signal_exit_emitter__?: HookCount };
  return ownHooks().count + (current?.count ?? 0) + (older?.count ?? 0);
}

/**
 * Calls `cleanUp` when a signal is about to end this process, and then lets it. A user's own handler of the signal
 * decides by itself: nothing is done then. Returns the function that takes the listeners back.
 */
export function onEndingSignal(
  cleanUp: () => void,
  platform: NodeJS.Platform = process.platform,
): () => void {
  const signals = ENDING_SIGNALS.filter((signal) => signal in constants.signals);
  const onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > countHooks()) return;
    cleanUp();
    stop();
    raise(signal, platform);
  };
  let listening = true;
  const stop = (): void => {
    if (!listening) return;
    listening = false;
    ownHooks().count--;
    for (const signal of signals) process.off(signal, onSignal);
  };
  ownHooks().count++;
  for (const signal of signals) process.on(signal, onSignal);
  return stop;
}

/** The exit code of a Windows process that Ctrl-C, Ctrl-Break or the closing of its console ends. */
const STATUS_CONTROL_C_EXIT = 0xc000013a;

/** Ends this process by a signal, as if nobody had listened to it. */
function raise(signal: NodeJS.Signals, platform: NodeJS.Platform): void {
  // There are no signals to send there, and what Node makes of some would end this process without its exit listeners.
  if (platform === "win32") process.exit(STATUS_CONTROL_C_EXIT);
  signalProcess(process.pid, signal);
  // The first process of a container is spared by signals that it does not handle: it ends as a shell says that it did.
  if (process.pid === 1) process.exit(128 + constants.signals[signal]);
}
