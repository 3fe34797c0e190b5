import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { guardedLogger } from "../../../src/hclog/guarded-logger.js";
import { type Logger, nullLogger } from "../../../src/hclog/logger.js";

function failing(fail: () => never): Logger {
  return { trace: fail, debug: fail, info: fail, warn: fail, error: fail, named: fail };
}

test("a logger that throws is told of once, as a warning of the process", async () => {
  const logger = guardedLogger(
    failing(() => {
      throw new Error("disk full");
    }),
  );
  const warnings: (Error & { code?: string })[] = [];
  const keep = (warning: Error): void => void warnings.push(warning);
  process.on("warning", keep);
  const warned = once(process, "warning");
  for (const level of ["trace", "debug", "info", "warn", "error"] as const) logger[level]("text", { a: 1 });
  logger.named!("child").info("text");
  await warned;
  await new Promise(setImmediate);
  process.off("warning", keep);
  assert.equal(warnings.length, 1);
  assert.equal(warnings[0]!.code, "GOPLUG_LOGGER");
  assert.match(warnings[0]!.message, /disk full/);
});

test("a logger whose methods are async may reject", async () => {
  const warned = once(process, "warning");
  const info = (async () => {
    throw new Error("connection refused");
  }) as () => void;
  guardedLogger({ ...nullLogger, info }).info("text");
  assert.match(((await warned) as [Error])[0].message, /connection refused/);
});

test("errors that cannot be shown are no trouble", async () => {
  const warned = once(process, "warning");
  guardedLogger(
    failing(() => {
      throw Object.create(null);
    }),
  ).info("text");
  await warned;
});

test("arguments, children and `this` are the logger's own", () => {
  const lines: unknown[] = [];
  class Own {
    readonly prefix = "own";
    trace(): void {}
    debug(): void {}
    info(...args: unknown[]): void {
      lines.push([this.prefix, ...args]);
    }
    warn(): void {}
    error(): void {}
    named(name: string): Logger {
      return { ...nullLogger, info: (message) => lines.push([name, message]) };
    }
  }
  const logger = guardedLogger(new Own());
  logger.info("one");
  logger.info("two", { a: 1 });
  logger.named!("child").info("three");
  assert.deepEqual(lines, [
    ["own", "one"],
    ["own", "two", { a: 1 }],
    ["child", "three"],
  ]);
});

test("the same logger is guarded once", () => {
  const logger: Logger = { ...nullLogger };
  assert.equal(guardedLogger(logger), guardedLogger(logger));
  assert.equal(guardedLogger(guardedLogger(logger)), guardedLogger(logger));
});
