import type { AttachedRunner, ExitStatus } from "../process/runner.js";
import { within } from "../wait.js";
import type { PluginHandle } from "./plugin-handle.js";

/** A plugin that was reattached to: the host has none of its pipes. */
export class AttachedProcess implements PluginHandle {
  readonly #runner: AttachedRunner;
  readonly exit: Promise<ExitStatus>;
  readonly stderrTail = "";
  #exited: ExitStatus | undefined;

  constructor(runner: AttachedRunner) {
    this.#runner = runner;
    this.exit = runner.wait().then((exit) => {
      this.#exited = exit;
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
    if (this.#exited === undefined) await this.#runner.kill();
    // The watch over a process that is not our child does not keep this one alive; the wait for its end does.
    for (;;) {
      const exit = await within(1000, this.exit);
      if (exit !== undefined) return exit;
    }
  }
}
