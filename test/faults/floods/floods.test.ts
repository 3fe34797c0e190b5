// Peers that send what costs them little and their peer much: its memory stays within bounds, and its other
// connections get their turn.
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { caller, RpcClient } from "../../../src/netrpc/index.js";
import { Session } from "../../../src/yamux/index.js";
import { table } from "./table.js";

interface Report {
  rss: number;
  received: number;
  mostPerTurn: number;
  lines: number;
}

const MIB = 2 ** 20;
const DURATION = 500;

const folder = mkdtempSync(join(tmpdir(), "goplug-floods-"));
const [muxed, plain] = [join(folder, "muxed"), join(folder, "plain")];
let victim: ChildProcess;
let attacker: ChildProcess;

function start(file: string, ...args: string[]): ChildProcess {
  const url = new URL(file, import.meta.url);
  return fork(url, args, { execArgv: ["--import", "tsx"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

async function ask<T>(child: ChildProcess, order: string | object = "report"): Promise<T> {
  const answer = once(child, "message");
  child.send(order);
  return (await answer)[0] as T;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}

before(async () => {
  victim = start("victim.program.ts", muxed, plain);
  attacker = start("attacker.program.ts");
  await once(victim, "message");
});

after(async () => {
  await Promise.all([end(victim), end(attacker)]);
  rmSync(folder, { recursive: true, force: true });
});

/** Calls over a connection of its own, one after another, until told to stop; the slowest one's milliseconds. */
async function callOn(until: () => boolean): Promise<number> {
  const session = Session.client(connect(muxed));
  const client = new RpcClient(await session.openChannel());
  const rpc = caller(client, "Plugin", table);
  let slowest = 0;
  while (!until()) {
    const begun = performance.now();
    await rpc.Echo(Buffer.from("there?"), { timeout: 20_000 });
    slowest = Math.max(slowest, performance.now() - begun);
  }
  await session.close();
  return slowest;
}

const cases: readonly (readonly [name: string, kind: "muxed" | "plain"])[] = [
  ["SYN", "muxed"],
  ["SYN and RST", "muxed"],
  ["SYN and FIN", "muxed"],
  ["SYN, half an id and FIN", "muxed"],
  ["broker ids that nobody accepts", "muxed"],
  ["the same broker id", "muxed"],
  ["pings", "muxed"],
  ["answers to no ping", "muxed"],
  ["window updates", "muxed"],
  ["window updates of unknown streams", "muxed"],
  ["empty frames", "muxed"],
  ["data of unknown streams", "muxed"],
  ["data that nobody reads", "muxed"],
  ["small calls of no method", "muxed"],
  ["calls whose answers nobody reads", "muxed"],
  ["plain calls of no method", "plain"],
  ["plain calls whose answers nobody reads", "plain"],
];

for (const [name, kind] of cases) {
  test(`a flood of ${name}`, { timeout: 60_000 }, async (t) => {
    const base = await ask<Report>(victim);
    await ask(attacker, { path: kind === "muxed" ? muxed : plain, name });
    let isOver = false;
    const calling = callOn(() => isOver);
    let highest = 0;
    let mostPerTurn = 0;
    let last = base;
    const begun = Date.now();
    while (Date.now() - begun < DURATION) {
      last = await ask<Report>(victim);
      highest = Math.max(highest, last.rss - base.rss);
      mostPerTurn = Math.max(mostPerTurn, last.mostPerTurn);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { sent, ended } = await ask<{ sent: number; ended: boolean }>(attacker);
    isOver = true;
    const slowest = await calling;
    await ask(attacker, "stop");
    const inMiB = (bytes: number): string => (bytes / MIB).toFixed(1);
    t.diagnostic(
      `${inMiB(last.received - base.received)} MiB received${ended ? ", then ended" : ""}, sent ${inMiB(sent)}; ` +
        `rss +${inMiB(highest)} MiB; most per turn ${inMiB(mostPerTurn)} MiB; ` +
        `slowest other call ${slowest.toFixed(0)} ms; ${last.lines - base.lines} log lines`,
    );
    assert.ok(highest < 150 * MIB, `${inMiB(highest)} MiB more memory`);
    assert.ok(mostPerTurn <= MIB, `${inMiB(mostPerTurn)} MiB of one turn`);
    assert.ok(slowest < 10_000, `a call on another connection took ${slowest} ms`);
    assert.ok(last.lines - base.lines < 100, `${last.lines - base.lines} log lines`);
  });
}
