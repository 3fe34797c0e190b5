import { setTimeout as sleep } from "node:timers/promises";
import { GoplugError } from "../errors.js";
import { isAlive, listensOn, startTime, startTimeIsCheap } from "./identity.js";
import type { AttachedRunner, ExitStatus } from "./runner.js";
import { checkPid, signalProcess } from "./signal-process.js";

/** Milliseconds between two looks at a process that is not our child: nothing tells us of its end. */
const POLL_INTERVAL = 100;

/** The process to reattach to is not there, or the pid is another process's by now (go-plugin: ErrProcessNotFound). */
export class ProcessNotFoundError extends GoplugError {
  override readonly name = "ProcessNotFoundError";

  constructor(pid: number, why: string) {
    super("ERR_PROCESS_NOT_FOUND", `reattachment process not found: pid ${pid} ${why}`);
  }
}

export interface PidTarget {
  pid: number;
  network: string;
  address: string;
  /** The process's start time, where it is known: tells it from a later one with the same pid. */
  startTime?: string | undefined;
}

/**
 * A plugin that was started by somebody else and is known by its pid (go-plugin: CmdAttachedRunner). Unlike Go's it
 * makes sure, before it signals, that the pid is still the plugin's.
 */
export class PidRunner implements AttachedRunner {
  readonly #pid: number;
  readonly #started: string | undefined;
  #exit: Promise<ExitStatus> | undefined;

  private constructor(pid: number, started: string | undefined) {
    this.#pid = pid;
    this.#started = started;
  }

  /** @throws ProcessNotFoundError, OptionError - the pid is not that of one process */
  static async attach({ pid, network, address, startTime: expected }: PidTarget): Promise<PidRunner> {
    checkPid("pid", pid);
    if (!(await isAlive(pid))) throw new ProcessNotFoundError(pid, "does not run");
    const started = await startTime(pid);
    if (expected !== undefined && started !== undefined && expected !== started) {
      throw new ProcessNotFoundError(pid, "is another process by now");
    }
    if ((await listensOn(pid, network, address)) === false) {
      throw new ProcessNotFoundError(pid, `does not listen on ${network} ${address}`);
    }
    return new PidRunner(pid, started);
  }

  get id(): string {
    return String(this.#pid);
  }

  wait(): Promise<ExitStatus> {
    this.#exit ??= this.#poll();
    return this.#exit;
  }

  async kill(): Promise<void> {
    if (!(await this.#isThere())) return;
    try {
      signalProcess(this.#pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  async #isThere(): Promise<boolean> {
    if (!(await isAlive(this.#pid))) return false;
    return this.#started === undefined || (await startTime(this.#pid)) === this.#started;
  }

  async #poll(): Promise<ExitStatus> {
    // Elsewhere the pid alone has to do: no system gives it away again between two looks.
    const isThere = startTimeIsCheap ? () => this.#isThere() : () => isAlive(this.#pid);
    while (await isThere()) await sleep(POLL_INTERVAL, undefined, { ref: false });
    return { code: null, signal: null };
  }
}
