import { fstatSync } from "node:fs";
import timers from "node:timers";
import { isMainThread } from "node:worker_threads";
import { jsonLogger } from "../hclog/json-logger.js";
import { onHostRole } from "../process/host-role.js";
import { ENV } from "../protocol/constants.js";
import { divertTraces } from "../trace.js";
import { CapturedStream } from "./captured-stream.js";
import { consoleToStreams } from "./console-streams.js";
import type { ServeError } from "./errors.js";
import { descriptor, LineWriter } from "./line-writer.js";
import type { Output } from "./serving.js";
import { writeFully } from "./write-sync.js";

/** Milliseconds that the end of the process may be put off for output that a full pipe does not take. */
const LAST_WORDS_MS = 1000;

type State =
  /** stdout is held back so that nothing comes before the handshake line; stderr is untouched. */
  | { readonly name: "holding"; readonly stdout: CapturedStream; readonly timer?: NodeJS.Timeout }
  /** The handshake is over: both go to the hosts. */
  | { readonly name: "live"; readonly stdout: CapturedStream; readonly stderr: CapturedStream };

// There is one stdout in a process, whatever part of the library (or copy of it in a bundle) asks first.
let state: State | undefined;
let giveConsoleBack = (): void => {};

/**
 * Holds back what is written to process.stdout from here on, so that it cannot come before the handshake line. A
 * second call changes nothing. stderr is left alone until the handshake, as in Go, so that a plugin that cannot
 * start can say why.
 */
export function holdStdout(): void {
  timers.clearTimeout(state?.name === "holding" ? state.timer : undefined);
  if (state === undefined) hold({});
  else if (state.name === "holding") state = { name: "holding", stdout: state.stdout };
}

/** Milliseconds after which a process that has not called `serve` is taken for no plugin. */
const UNDECIDED_MS = 10_000;

/**
 * {@link holdStdout}, if this looks like a process that a plugin host started: for the moment when the library is
 * loaded, when nobody has said yet what the process is. A host's variables are inherited by all that its plugin starts,
 * and so prove little: what is held goes on when stdout is not a pipe, when the process turns out to be a host itself,
 * after some seconds without a call of `serve`, or when the process ends.
 */
export function holdStdoutIfPlugin(undecidedMs = UNDECIDED_MS): void {
  if (state !== undefined || !isMainThread || process.env[ENV.minPort] === undefined || !isPipe(1)) return;
  const timer = timers.setTimeout(releaseStdio, undecidedMs);
  timer.unref();
  hold({ timer });
  onHostRole(() => {
    if (state?.name === "holding" && state.timer !== undefined) releaseStdio();
  });
}

/** The part of a file's mode that says what it is, and what it says of a pipe (stat(2); libuv on Windows). */
const FILE_TYPE = 0o170000;
const PIPE = 0o010000;

/** Whether a file descriptor is what hosts read a handshake from: a pipe, or Node's kind of one, a socket. */
function isPipe(fd: number): boolean {
  try {
    const info = fstatSync(fd);
    // Not isFIFO, which on Windows is false whatever the mode says.
    return (info.mode & FILE_TYPE) === PIPE || info.isSocket();
  } catch {
    return false;
  }
}

/** Begins to copy stdout and stderr to hosts; call it once the handshake line is out. */
export function captureStdio(onOverflow: (error: ServeError) => void): Output {
  if (state?.name !== "holding") hold({});
  const { stdout } = state as Extract<State, { name: "holding" }>;
  timers.clearTimeout((state as Extract<State, { name: "holding" }>).timer);
  const stderr = new CapturedStream(process.stderr);
  for (const { queue } of [stdout, stderr]) {
    queue.onOverflow = onOverflow;
    queue.holding = false;
  }
  state = { name: "live", stdout, stderr };
  // When the host dies its ends of the pipes go, too; that must not end the plugin before it has cleaned up.
  for (const stream of [process.stdout, process.stderr]) stream.off("error", ignore).on("error", ignore);
  // Traces of the library's own frames would make more frames, and more traces, if they went to the synced stderr.
  divertTraces(writeRealStderr);
  return { stdout: stdout.queue, stderr: stderr.queue };
}

/**
 * Copies stdout and stderr to hosts while both go on where they went: for plugins that run inside of a test. The
 * copies end with `release`.
 */
export function teeStdio(): Output & { release(): void } {
  const [stdout, stderr] = [process.stdout, process.stderr].map((stream) => {
    const captured = new CapturedStream(stream, { tee: true });
    captured.queue.holding = false;
    return captured;
  }) as [CapturedStream, CapturedStream];
  return {
    stdout: stdout.queue,
    stderr: stderr.queue,
    release() {
      // In the opposite order, as others may have taken the streams meanwhile.
      stderr.restore();
      stdout.restore();
    },
  };
}

const realStderr = new LineWriter(descriptor(2), (lines) => {
  let warning = "";
  jsonLogger({ write: (line) => (warning = line) }).warn("log lines are lost: the host did not read", {
    lines,
  });
  return warning;
});

/**
 * Writes lines to the process's real stderr, where the host reads its log, whatever process.stderr is by now. In a plugin the
 * pipe has them when this returns.
 */
export function writeRealStderr(lines: string): void {
  if (state === undefined) process.stderr.write(lines);
  else realStderr.write(lines);
}

/** Bytes that were written to the real stdout before it was held back: the handshake line would stand after them. */
export function bytesBeforeHold(): number {
  return bytesBefore;
}

/** Undoes the hold or the capture; harmless if there is none. */
export function releaseStdio(): void {
  const last = state;
  if (last === undefined) return;
  divertToProcess();
  state = undefined;
  process.off("exit", divertToProcess);
  giveConsoleBack();
  if (last.name === "holding") timers.clearTimeout(last.timer);
  else last.stderr.restore();
  last.stdout.restore();
}

/**
 * Writes what no host has got, and what still comes, where the process itself writes: before the handshake to stdout;
 * after it all to stderr, because a host logs that one and throws the other away. A line before it says so.
 */
function divertToProcess(): void {
  const to = (fd: number) => ({ write: (chunk: Buffer) => writeFully(fd, chunk, LAST_WORDS_MS) || true });
  if (state?.name === "holding") state.stdout.queue.divert(to(1));
  if (state?.name === "live") {
    const queues = [state.stdout.queue, state.stderr.queue];
    for (const queue of queues) queue.reclaim();
    const [stdout, stderr] = queues.map(({ length }) => length);
    const write = (line: string): void => void writeFully(2, line, LAST_WORDS_MS);
    if (stdout || stderr) {
      jsonLogger({ write }).warn("the plugin has ended before its host took this output", { stdout, stderr });
    }
    for (const queue of queues) queue.divert(to(2));
  }
}

function ignore(): void {}

let bytesBefore = 0;

function hold(rest: { timer?: NodeJS.Timeout }): void {
  bytesBefore = (process.stdout as { bytesWritten?: number }).bytesWritten ?? 0;
  giveConsoleBack = consoleToStreams();
  state = { name: "holding", stdout: new CapturedStream(process.stdout), ...rest };
  // At the end of the process the streams stay taken, for what later exit listeners print.
  process.on("exit", divertToProcess);
}
