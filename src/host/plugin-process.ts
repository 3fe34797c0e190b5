import { basename } from "node:path";
import type { Readable, Writable } from "node:stream";
import { type Logger, namedLogger } from "../hclog/logger.js";
import { logStderrLine, StderrClassifier } from "../hclog/parse-line.js";
import { LineSplitter } from "../process/line-splitter.js";
import { describeExit, type ExitStatus, type Runner } from "../process/runner.js";
import { Tail } from "../process/tail.js";
import { within } from "../wait.js";
import type { PluginHandle } from "./plugin-handle.js";

/** Bytes of stderr that are kept for error messages. */
const tailSize = 65_536;
/** The longest handshake line; Go's scanner has the same bound. */
const longestLine = 65_536;
/** Milliseconds that the pipes of an ended process may take to hand over what is left in them. */
const pipeGrace = 200;
/** Milliseconds after the end of stdout in which the process's end is taken as its reason. */
const closedGrace = 500;

export interface PluginProcessOptions {
  logger: Logger;
  /** Takes a raw copy of the process's stderr. */
  stderr: Writable | undefined;
  /** Longest stderr line that is logged whole, in bytes. */
  logBufferSize: number;
}

/** What came of waiting for the first line of stdout. */
export type FirstLine =
  | { kind: "line"; line: string }
  /** More bytes than any handshake line has, and no line break. */
  | { kind: "noise"; start: string }
  /** The process ended; `rest` is what it had printed without a line break. */
  | { kind: "exited"; exit: ExitStatus; rest: string };

/**
 * A started plugin process: reads its pipes for as long as it lives (a full pipe would block it), logs its stderr and
 * knows how it ended.
 */
export class PluginProcess implements PluginHandle {
  readonly #runner: Runner;
  readonly #tail = new Tail(tailSize);
  readonly #stderrEnded: Promise<void>;
  readonly #cleanups: (() => Promise<void>)[] = [];
  /** Resolves when the process has ended, its pipes are read out and what it left behind is removed. */
  readonly exit: Promise<ExitStatus>;
  #exited: ExitStatus | undefined;

  constructor(runner: Runner, options: PluginProcessOptions) {
    this.#runner = runner;
    // A runner's streams may break at any time (a container's are connections); their end is all that matters.
    runner.stdout.on("error", () => {});
    runner.stderr.on("error", () => {});
    this.#stderrEnded = this.#readStderr(options);
    this.exit = this.#watch(options.logger);
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
    return this.#tail.toString();
  }

  /**
   * Takes the first line of stdout, without its line break; everything after it is read and dropped. A process that
   * closes its stdout and lives on has said its line, if any, without a line break (Go: bufio.Scanner). Call once.
   */
  firstLine(): Promise<FirstLine> {
    const stdout = this.#runner.stdout;
    let held = Buffer.alloc(0);
    return new Promise((resolve) => {
      const done = (result: FirstLine): void => {
        stdout.off("data", onData);
        stdout.resume();
        resolve(result);
      };
      const onEnd = async (): Promise<void> => {
        if ((await within(closedGrace, this.exit)) === undefined)
          done({ kind: "line", line: held.toString("utf8") });
      };
      const onData = (chunk: Buffer): void => {
        held = Buffer.concat([held, chunk]);
        const end = held.indexOf(0x0a);
        if (end >= 0 && end <= longestLine) done({ kind: "line", line: held.toString("utf8", 0, end) });
        else if (held.length > longestLine) done({ kind: "noise", start: held.toString("utf8", 0, 200) });
      };
      stdout.on("data", onData);
      void ended(stdout).then(onEnd);
      void this.exit.then((exit) => done({ kind: "exited", exit, rest: held.toString("utf8") }));
    });
  }

  /** Has something removed when the process is gone; `cleanup` must not reject. */
  onExit(cleanup: () => Promise<void>): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends the process by force and waits for its end. */
  async kill(): Promise<ExitStatus> {
    if (this.#exited === undefined) await this.#runner.kill();
    return this.exit;
  }

  diagnose(): Promise<string> {
    return this.#runner.diagnose();
  }

  async #watch(logger: Logger): Promise<ExitStatus> {
    const exit = await this.#runner.wait();
    const { stdout, stderr } = this.#runner;
    // A grandchild may hold the pipes open for ever; what the plugin itself wrote is in them already.
    await within(pipeGrace, Promise.all([this.#stderrEnded, ended(stdout)]));
    stdout.destroy();
    stderr.destroy();
    await Promise.all(this.#cleanups.map((cleanup) => cleanup()));
    this.#exited = exit;
    const fields = { plugin: this.name, id: this.id };
    if (exit.code === 0) logger.info("plugin process exited", fields);
    else logger.warn("plugin process exited", { ...fields, error: describeExit(exit) });
    return exit;
  }

  #readStderr({ logger, stderr: copy, logBufferSize }: PluginProcessOptions): Promise<void> {
    const stderr = this.#runner.stderr;
    const log = namedLogger(logger, basename(this.name));
    const classifier = new StderrClassifier();
    const lines = new LineSplitter(logBufferSize);
    let continued = false;
    const logPieces = (pieces: Iterable<{ bytes: Buffer; isPrefix: boolean }>): void => {
      for (const { bytes, isPrefix } of pieces) {
        logStderrLine(log, classifier.classify(bytes.toString("utf8"), isPrefix || continued));
        continued = isPrefix;
      }
    };
    stderr.on("data", (chunk: Buffer) => {
      this.#tail.push(chunk);
      if (copy?.writable && !copy.write(chunk)) {
        stderr.pause();
        const resume = (): void => {
          copy.off("drain", resume);
          copy.off("close", resume);
          stderr.resume();
        };
        copy.on("drain", resume);
        copy.on("close", resume);
      }
      logPieces(lines.push(chunk));
    });
    return ended(stderr).then(() => logPieces(lines.end()));
  }
}

/** Resolves when a pipe has nothing more to give, for whatever reason. */
function ended(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.readableEnded || stream.destroyed) {
      resolve();
      return;
    }
    stream.once("end", resolve);
    stream.once("close", resolve);
  });
}
