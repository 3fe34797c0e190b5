import type { Logger } from "../hclog/logger.js";
import type { AttachedRunner, ExitStatus } from "../process/runner.js";
import { within } from "../wait.js";

/** Milliseconds that a runner's `kill` may take, and then the end of what it has killed. */
const FORCE_GRACE = 5000;

/** How something ended that nobody can tell about. */
const UNKNOWN_EXIT: ExitStatus = { code: null, signal: null };

/**
 * The end of what a runner runs, whatever the runner does: one that cannot wait for it is logged, and taken for ended,
 * as nothing else will ever be known of it.
 */
export class RunnerEnd {
  readonly #runner: AttachedRunner;
  readonly #logger: Logger;
  /** Never rejects. */
  readonly exit: Promise<ExitStatus>;
  #giveUp!: (exit: ExitStatus) => void;

  constructor(runner: AttachedRunner, logger: Logger) {
    this.#runner = runner;
    this.#logger = logger;
    const givenUp = new Promise<ExitStatus>((resolve) => {
      this.#giveUp = resolve;
    });
    this.exit = Promise.race([this.#wait(), givenUp]);
  }

  /**
   * Ends it by force. Never rejects, and settles in any case: what is still there some seconds after is logged and
   * given up, with an end that nobody can tell about.
   */
  async force(): Promise<ExitStatus> {
    const { id } = this.#runner;
    try {
      await within(FORCE_GRACE, this.#runner.kill());
    } catch (error) {
      this.#logger.warn("error killing plugin", { id, error });
    }
    const exit = await within(FORCE_GRACE, this.exit);
    if (exit !== undefined) return exit;
    this.#logger.error("the plugin was killed and has not ended: it is given up", { id });
    this.#giveUp(UNKNOWN_EXIT);
    return UNKNOWN_EXIT;
  }

  async #wait(): Promise<ExitStatus> {
    try {
      return (await this.#runner.wait()) ?? UNKNOWN_EXIT;
    } catch (error) {
      this.#logger.warn("error waiting for the plugin's end: it is taken for ended", {
        id: this.#runner.id,
        error,
      });
      return UNKNOWN_EXIT;
    }
  }
}
