import type { Readable } from "node:stream";
import type { Logger } from "../hclog/logger.js";
import { ended } from "../process/read-out.js";
import type { ExitStatus } from "../process/runner.js";
import { within } from "../wait.js";

/** The longest handshake line; Go's scanner has the same bound. */
const LONGEST_LINE = 65_536;
/** Milliseconds after the end of stdout in which the process's end is taken as its reason. */
const CLOSED_GRACE = 500;
/** How much of output that nobody takes a message shows. */
const SHOWN_BYTES = 120;

/** What came of waiting for the first line of stdout. */
export type FirstLine =
  | { kind: "line"; line: string }
  /** More bytes than any handshake line has, and no line break. */
  | { kind: "noise"; start: string }
  /** The process ended; `rest` is what it had printed without a line break. */
  | { kind: "exited"; exit: ExitStatus; rest: string };

/** The stdout of a plugin's process: its first line is the handshake, and all that follows is nobody's. */
export class HandshakePipe {
  readonly #stdout: Readable;
  #afterLine = Buffer.alloc(0);
  #onStray: (() => void) | undefined;

  constructor(stdout: Readable) {
    this.#stdout = stdout;
  }

  /**
   * Takes the first line, without its line break; everything after it is read and dropped. A process that closes its
   * stdout and lives on has said its line, if any, without a line break (Go: bufio.Scanner). Call once.
   */
  firstLine(exit: Promise<ExitStatus>): Promise<FirstLine> {
    const stdout = this.#stdout;
    let held = Buffer.alloc(0);
    return new Promise((resolve) => {
      const done = (result: FirstLine, rest?: Buffer): void => {
        stdout.off("data", onData);
        stdout.on("data", this.#drop);
        if (rest !== undefined && rest.length > 0) this.#drop(rest);
        resolve(result);
      };
      const onEnd = async (): Promise<void> => {
        if ((await within(CLOSED_GRACE, exit)) === undefined)
          done({ kind: "line", line: held.toString("utf8") });
      };
      const onData = (chunk: Buffer): void => {
        held = Buffer.concat([held, chunk]);
        const end = held.indexOf(0x0a);
        if (end >= 0 && end <= LONGEST_LINE) {
          done({ kind: "line", line: held.toString("utf8", 0, end) }, held.subarray(end + 1));
        } else if (held.length > LONGEST_LINE) done({ kind: "noise", start: held.toString("utf8", 0, 200) });
      };
      stdout.on("data", onData);
      void ended(stdout).then(onEnd);
      void exit.then((status) => done({ kind: "exited", exit: status, rest: held.toString("utf8") }));
    });
  }

  /**
   * The line was a right one. What comes behind it is dropped, as in go-plugin, but not without a word: it was written
   * to the file descriptor itself (by native code, by a child that inherited it), and nobody sees it.
   */
  reportStray(logger: Logger, plugin: string): void {
    this.#onStray = () => {
      const start = this.#afterLine.toString("utf8", 0, SHOWN_BYTES);
      logger.warn("what the plugin writes to file descriptor 1 after the handshake is dropped", {
        plugin,
        start,
      });
    };
    if (this.#afterLine.length > 0) this.#onStray();
  }

  readonly #drop = (chunk: Buffer): void => {
    if (this.#afterLine.length > 0) return;
    this.#afterLine = Buffer.from(chunk.subarray(0, SHOWN_BYTES));
    this.#onStray?.();
  };
}
