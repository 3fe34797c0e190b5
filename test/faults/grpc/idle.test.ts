// A connection with many idle calls: its memory is bounded on both sides, and given back; and a further call has its place.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { listenPath } from "../../support.js";

const CALLS = 10_000;
/** Bytes a call, several times what was measured (docs/grpc.md). */
const MOST = 32 * 1024;

interface Report {
  readonly calls: number;
  readonly rss: number;
  readonly held: number;
}

class Side {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(role: "server" | "client", path: string) {
    const program = fileURLToPath(new URL("idle.program.ts", import.meta.url));
    this.#process = spawn(process.execPath, ["--expose-gc", "--import", "tsx", program, role, path], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface(this.#process.stdout!)[Symbol.asyncIterator]();
  }

  async report(): Promise<Report> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("the process has ended");
    return JSON.parse(value) as Report;
  }

  ask(line: string): Promise<Report> {
    this.#process.stdin!.write(`${line}\n`);
    return this.report();
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

test("10,000 idle calls", { timeout: 120_000 }, async (t) => {
  const path = listenPath(tmpdir(), `goplug-idle-${process.pid}`);
  const server = new Side("server", path);
  after(async () => {
    await server.stop();
    // Killed, it has not removed its socket; a pipe of Windows is gone by itself.
    await rm(path, { force: true }).catch(() => {});
  });
  const before = { server: await server.report(), client: undefined as Report | undefined };
  const client = new Side("client", path);
  after(() => client.stop());
  before.client = await client.report();

  const open = { client: await client.ask(`open ${CALLS}`), server: await server.ask("report") };
  for (const side of ["client", "server"] as const) {
    assert.equal(open[side].calls, CALLS);
    const held = (open[side].held - before[side]!.held) / CALLS;
    const rss = (open[side].rss - before[side]!.rss) / CALLS;
    t.diagnostic(`${side}: ${Math.round(held)} bytes a call held, ${Math.round(rss)} of RSS`);
    assert.ok(held < MOST, `${held} bytes held by the ${side} for a call`);
    assert.ok(rss < MOST, `${rss} bytes of RSS of the ${side} for a call`);
  }

  // As a host's ping does.
  await client.ask("ping");
  const over = { client: await client.ask("cancel"), server: await server.ask("report") };
  for (const side of ["client", "server"] as const) {
    assert.equal(over[side].calls, 0);
    const left = over[side].held - before[side]!.held;
    assert.ok(left < 10_000_000, `${left} bytes held by the ${side} when all calls are over`);
  }
});
