import { publishExit } from "../diagnostics.js";
import type { Logger } from "../hclog/logger.js";
import type { AttachedRunner, ExitStatus } from "../process/runner.js";
import type { PluginHandle } from "./plugin-handle.js";
import { RunnerEnd } from "./runner-end.js";

/** A plugin that was reattached to: the host has none of its pipes. */
export class AttachedProcess implements PluginHandle {
  readonly #runner: AttachedRunner;
  readonly #end: RunnerEnd;
  readonly exit: Promise<ExitStatus>;
  readonly stderrTail = "";
  #exited: ExitStatus | undefined;

  constructor(runner: AttachedRunner, logger: Logger) {
    this.#runner = runner;
    this.#end = new RunnerEnd(runner, logger);
    this.exit = this.#end.exit.then((exit) => {
      this.#exited = exit;
      publishExit({ plugin: this.name, id: this.id, ...exit });
      return exit;
    });
  }

  get name(): string {
    return `with id ${this.#runner.id} (reattached)`;
  }

  get id(): string {
    return this.#runner.id;
  }

  get exited(): ExitStatus | undefined {
    return this.#exited;
  }

  async kill(): Promise<ExitStatus> {
    return this.#exited ?? this.#end.force();
  }
}
