import { createRequire } from "node:module";
import { format } from "node:util";

/** Writes a trace line, in `debug`'s format. */
export interface Trace {
  (text: string, ...args: unknown[]): void;
  readonly enabled: boolean;
}

const silent: Trace = Object.assign(() => {}, { enabled: false });

let divert: ((line: string) => void) | undefined;

/**
 * A tracer that writes when the environment's DEBUG names it (`DEBUG=goplug:*`). The debug package is not even loaded
 * unless DEBUG may mean goplug: it would take 10 ms of every start.
 */
export function createTrace(namespace: string): Trace {
  if (!/(?:^|[\s,])(?:\*|goplug)/.test(process.env.DEBUG ?? "")) return silent;
  const createDebug = createRequire(import.meta.url)("debug") as typeof import("debug");
  const trace = createDebug(namespace);
  const log = createDebug.log;
  trace.log = (...args: unknown[]) => {
    if (divert === undefined) log(...args);
    else divert(`${format(...args)}\n`);
  };
  return trace;
}

/** Sends all traces elsewhere than to process.stderr; undefined sends them back. */
export function divertTraces(to: ((line: string) => void) | undefined): void {
  divert = to;
}
