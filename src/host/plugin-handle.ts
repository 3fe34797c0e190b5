import type { ExitStatus } from "../process/runner.js";

/** A plugin that runs, started by this host or reattached to. */
export interface PluginHandle {
  /** For messages: the executable's path, or what it was reattached by. */
  readonly name: string;
  /** Identifies what runs: a pid, a container's id. */
  readonly id: string;
  /** How it ended, or undefined while it runs. */
  readonly exited: ExitStatus | undefined;
  /** Resolves when it has ended and what it left behind is removed; never rejects. */
  readonly exit: Promise<ExitStatus>;
  /** The end of its stderr; empty where the host has none. */
  readonly stderrTail: string;
  /** Ends it by force and waits for its end, but not for ever; never rejects. */
  kill(): Promise<ExitStatus>;
}
