import type { Readable } from "node:stream";

/** How a process ended: with an exit code, or by a signal. Both null: nobody could tell (a process not our child). */
export interface ExitStatus {
  /** The exit code; null where a signal ended it. */
  code: number | null;
  /** The signal, such as `SIGKILL`; null where it exited. */
  signal: string | null;
}

/** Where somebody listens, as a runner translates it. */
export interface RunnerAddress {
  /** `unix` or `tcp`. */
  network: string;
  /** A unix socket's path, or `host:port`. */
  address: string;
}

/** A plugin that runs already (go-plugin: runner.AttachedRunner). */
export interface AttachedRunner {
  /** Identifies what runs: a pid, a container's id. Empty when nothing was started. */
  readonly id: string;
  /** Resolves when the plugin has stopped running. Called more than once, it answers the same. */
  wait(): Promise<ExitStatus>;
  /** Stops the plugin by force; a plugin that is gone already is no error. */
  kill(): Promise<void>;
  /** Turns an address that the plugin announced into one that the host can dial. Default: the same. */
  pluginToHost?(network: string, address: string): RunnerAddress;
  /** Turns an address of the host into one that the plugin can dial. Default: the same. */
  hostToPlugin?(network: string, address: string): RunnerAddress;
}

/** Starts a plugin and knows its pipes (go-plugin: runner.Runner). */
export interface Runner extends AttachedRunner {
  /** For messages: the executable's path, for instance. */
  readonly name: string;
  /** Starts the plugin; the signal ends only the attempt to start. Rejects when nothing could be started. */
  start(signal: AbortSignal): Promise<void>;
  /** Carries the handshake line. Valid once started. */
  readonly stdout: Readable;
  /** Carries the plugin's log lines. Valid once started. */
  readonly stderr: Readable;
  /** What may explain a failed start, for people; empty when there is nothing to say. */
  diagnose(): Promise<string>;
}

/** Describes an exit for messages: `exited with code 3`, `was killed by SIGKILL`. */
export function describeExit({ code, signal }: ExitStatus): string {
  if (signal !== null) return `was killed by ${signal}`;
  if (code !== null) return `exited with code ${code}`;
  return "exited";
}
