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
  const createDebug = loadDebug();
  if (createDebug === undefined) return silent;
  const trace = createDebug(namespace);
  const log = createDebug.log;
  trace.log = (...args: unknown[]) => {
    if (divert === undefined) log(...args);
    else divert(`${format(...args)}\n`);
  };
  return trace;
}

let warned = false;

/** A bundle in one file need not have the package beside it: a reason to say so, not to end a plugin. */
function loadDebug(): typeof import("debug") | undefined {
  try {
    return process.getBuiltinModule("node:module").createRequire(import.meta.url)("debug");
  } catch {
    if (!warned)
      process.emitWarning("goplug: there are no traces, since the package debug is not to be found");
    warned = true;
    return undefined;
  }
}

/** Sends all traces elsewhere than to process.stderr; undefined sends them back. */
export function divertTraces(to: ((line: string) => void) | undefined): void {
  divert = to;
}
