import { basename } from "node:path";
import type { Writable } from "node:stream";
import { publishExit } from "../diagnostics.js";
import { type Logger, logAt, namedLogger } from "../hclog/logger.js";
import { readOut } from "../process/read-out.js";
import { describeExit, type ExitStatus, type Runner } from "../process/runner.js";
import type { ExitLogLevel } from "./config.js";
import { type FirstLine, HandshakePipe } from "./first-line.js";
import type { PluginHandle } from "./plugin-handle.js";
import { RunnerEnd } from "./runner-end.js";
import { StderrLog } from "./stderr-log.js";

/**
 * Milliseconds for the pipes of an ended process: all that it wrote is in them already, but a grandchild may hold them
 * open for ever, or go on writing.
 */
const PIPE_GRACE = { quiet: 200, total: 2000 };

export interface PluginProcessOptions {
  logger: Logger;
  /** Takes a raw copy of the process's stderr. */
  stderr: Writable | undefined;
  /** Longest stderr line that is logged whole, in bytes. */
  logBufferSize: number;
  /** The levels of the line that tells of the process's end. Default: info and warn. */
  exitLogLevel?: ExitLogLevel | undefined;
}

/**
 * A started plugin process: reads its pipes for as long as it lives (a full pipe would block it), logs its stderr and
 * knows how it ended.
 */
export class PluginProcess implements PluginHandle {
  readonly #runner: Runner;
  readonly #logger: Logger;
  readonly #exitLogLevel: ExitLogLevel;
  readonly #end: RunnerEnd;
  readonly #stdout: HandshakePipe;
  readonly #stderr: StderrLog;
  readonly #cleanups: (() => Promise<void>)[] = [];
  /** Resolves when the process has ended, its pipes are read out and what it left behind is removed; never rejects. */
  readonly exit: Promise<ExitStatus>;
  #exited: ExitStatus | undefined;

  constructor(runner: Runner, { logger, stderr, logBufferSize, exitLogLevel = {} }: PluginProcessOptions) {
    this.#exitLogLevel = exitLogLevel;
    this.#runner = runner;
    this.#logger = logger;
    // A runner's streams may break at any time (a container's are connections); their end is all that matters.
    runner.stdout.on("error", () => {});
    runner.stderr.on("error", () => {});
    this.#stdout = new HandshakePipe(runner.stdout);
    this.#stderr = new StderrLog(runner.stderr, {
      lines: namedLogger(logger, basename(this.name)),
      logger,
      copy: stderr,
      bufferSize: logBufferSize,
    });
    this.#end = new RunnerEnd(runner, logger);
    this.exit = this.#watch();
  }

  get name(): string {
    return this.#runner.name;
  }

  get id(): string {
    return this.#runner.id;
  }

  /** How it ended, or undefined while it runs. */
  get exited(): ExitStatus | undefined {
    return this.#exited;
  }

  get stderrTail(): string {
    return this.#stderr.tail;
  }

  /** {@link HandshakePipe.firstLine}; call once. */
  firstLine(): Promise<FirstLine> {
    return this.#stdout.firstLine(this.exit);
  }

  /** The handshake is over: what else comes on the process's own stdout is said once, and dropped. */
  handshakeDone(): void {
    this.#stdout.reportStray(this.#logger, this.name);
  }

  /** Has something removed when the process is gone. What cannot be removed is logged, and keeps nothing else. */
  onExit(cleanup: () => Promise<void>): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends the process by force and waits for its end, and no longer than that may take; never rejects. */
  async kill(): Promise<ExitStatus> {
    if (this.#exited === undefined) await this.#end.force();
    return this.exit;
  }

  diagnose(): Promise<string> {
    return this.#runner.diagnose();
  }

  async #watch(): Promise<ExitStatus> {
    const exit = await this.#end.exit;
    this.#stderr.release();
    await readOut([this.#runner.stdout, this.#runner.stderr], PIPE_GRACE);
    await Promise.all(this.#cleanups.map((cleanup) => this.#cleanUp(cleanup)));
    this.#exited = exit;
    const fields = { plugin: this.name, id: this.id };
    publishExit({ ...fields, ...exit });
    const { success = "info", failure = "warn" } = this.#exitLogLevel;
    if (exit.code === 0) logAt(this.#logger, success, "plugin process exited", fields);
    else logAt(this.#logger, failure, "plugin process exited", { ...fields, error: describeExit(exit) });
    return exit;
  }

  async #cleanUp(cleanup: () => Promise<void>): Promise<void> {
    try {
      await cleanup();
    } catch (error) {
      this.#logger.warn("cannot remove what was made for the plugin", { plugin: this.name, error });
    }
  }
}
