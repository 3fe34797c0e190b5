import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { builtin } from "../builtin.js";
import { type Logger, nullLogger } from "../hclog/logger.js";
import { diagnoseExecutable } from "./diagnose.js";
import { SpawnError } from "./errors.js";
import { explainSpawn } from "./explain-spawn.js";
import { killWithHost } from "./host-end/registry.js";
import { killChild } from "./kill-child.js";
import { isBareName, lookPath } from "./look-path.js";
import type { ExitStatus, Runner } from "./runner.js";

/** A command to be started, complete: nothing is added to its environment. */
export interface Command {
  /** The executable: a path (from `cwd`, where it is relative), or a name that is looked up in the host's PATH. */
  readonly path: string;
  /** Its arguments, without the executable. */
  readonly args: readonly string[];
  /** Its whole environment; undefined variables are left out. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its working directory; undefined: the host's. */
  readonly cwd: string | undefined;
}

/** What happens to the process when the host ends, and where that is logged. */
export interface CommandRunnerOptions {
  /** Whether the process is killed when this one ends. Default: true. */
  killWithHost?: boolean | undefined;
  /** Whether it is killed even when this one ends in a way that it does not see, such as SIGKILL. Default: true. */
  watchdog?: boolean | undefined;
  /** Default: nothing is logged. */
  logger?: Logger | undefined;
}

/** Runs a plugin as a child process (go-plugin: internal/cmdrunner). It inherits stdin, as Go's does. */
export class CommandRunner implements Runner {
  readonly #command: Command;
  readonly #options: CommandRunnerOptions;
  #child: ChildProcess | undefined;
  #exit: Promise<ExitStatus> | undefined;

  constructor(command: Command, options: CommandRunnerOptions = {}) {
    this.#command = command;
    this.#options = options;
  }

  get name(): string {
    return this.#command.path;
  }

  get id(): string {
    return this.#child?.pid === undefined ? "" : String(this.#child.pid);
  }

  /** The process's id; undefined before the start. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get stdout(): Readable {
    return this.#started().stdout!;
  }

  get stderr(): Readable {
    return this.#started().stderr!;
  }

  async start(): Promise<void> {
    const { path, args, env, cwd } = this.#command;
    // Looked up here and not by the system, which would take the PATH that the plugin gets.
    const file = isBareName(path) ? lookPath(path) : path;
    return new Promise((resolve, reject) => {
      let child: ChildProcess;
      const fail = (error: unknown): void => reject(explainSpawn({ path, file, cwd }, error));
      try {
        child = builtin.childProcess.spawn(file, args, {
          argv0: path,
          env: { ...env },
          cwd,
          stdio: ["inherit", "pipe", "pipe"],
          windowsHide: true,
          detached: needsDetaching(this.#options),
        });
      } catch (error) {
        fail(error);
        return;
      }
      this.#exit = new Promise((resolveExit) => {
        // "exit", not "close": a grandchild that keeps stdout open must not hide the end of the plugin.
        child.once("exit", (code, signal) => resolveExit({ code, signal }));
      });
      // Not only when "spawn" tells of it: this process may end before.
      this.#killWithHost(child);
      child.once("spawn", () => {
        this.#child = child;
        resolve();
      });
      child.on("error", fail);
    });
  }

  wait(): Promise<ExitStatus> {
    if (this.#exit === undefined) throw notStarted(this.name);
    return this.#exit;
  }

  /** Kills it (SIGKILL). On Linux the unix sockets that it listens on go, too: it has no more time to remove them. */
  async kill(): Promise<void> {
    if (this.#child !== undefined) await killChild(this.#child);
  }

  diagnose(): Promise<string> {
    return diagnoseExecutable(this.#command.path);
  }

  #killWithHost(child: ChildProcess): void {
    const { killWithHost: bound = true, watchdog = true, logger = nullLogger } = this.#options;
    if (!bound) return;
    killWithHost(child, {
      watchdog,
      onUnwatched: (error) =>
        logger.debug("the plugin will outlive a host that is killed", { path: this.name, error }),
    });
  }

  #started(): ChildProcess {
    if (this.#child === undefined) throw notStarted(this.name);
    return this.#child;
  }
}

/**
 * On Windows a child ends with its parent (Node puts children into a job object) unless it is detached; elsewhere
 * detaching would do no more than give it a session of its own.
 */
export function needsDetaching(
  { killWithHost = true }: CommandRunnerOptions,
  platform: NodeJS.Platform = process.platform,
): boolean {
  return platform === "win32" && !killWithHost;
}

function notStarted(path: string): SpawnError {
  return new SpawnError("ERR_PLUGIN_SPAWN", path, `plugin ${path} was not started`, undefined);
}
