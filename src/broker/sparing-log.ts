import type { Logger } from "../hclog/logger.js";

/** Lines of one kind within a period; the rest are counted. */
const LINES = 10;
const PERIOD = 10_000;

interface Kind {
  since: number;
  lines: number;
  left: number;
}

/** Logs what a peer can bring about as often as it likes: ten lines of a kind in 10 s, and how many were left out. */
export class SparingLog {
  readonly #logger: Logger;
  readonly #kinds = new Map<string, Kind>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param message also the kind: a fixed text, so that there are few of them */
  warn(message: string, fields: Record<string, unknown>): void {
    const now = performance.now();
    let kind = this.#kinds.get(message);
    if (kind === undefined || now - kind.since >= PERIOD) {
      const left = kind?.left ?? 0;
      if (left > 0) this.#logger.warn(`${message} (and others of the kind before)`, { leftOut: left });
      kind = { since: now, lines: 0, left: 0 };
      this.#kinds.set(message, kind);
    }
    if (++kind.lines <= LINES) this.#logger.warn(message, fields);
    else kind.left++;
  }
}
