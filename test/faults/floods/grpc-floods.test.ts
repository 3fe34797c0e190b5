// The same as floods.test.ts, of gRPC plugins: what HTTP/2 and go-plugin's own services let a peer send for little.
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import * as protobuf from "@bufbuild/protobuf";
import { connectGrpc } from "../../../src/grpc/connection.js";
import { KV } from "../../interop/gen/es/kv_pb.js";

interface Report {
  readonly rss: number;
  readonly lines: number;
}

const MIB = 2 ** 20;
const DURATION = 500;

let victim: ChildProcess;
let attacker: ChildProcess;
let address: string;

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
  victim = start("grpc-victim.ts", process.env.GOPLUG_FLOOD_TRANSPORT ?? "goplug");
  attacker = start("grpc-attacker.ts");
  [address] = (await once(victim, "message")) as [string];
});

after(() => Promise.all([end(victim), end(attacker)]));

/** Calls over a connection of its own, one after another, until told to stop: how many, and the slowest one's ms. */
async function callOn(until: () => boolean): Promise<{ calls: number; slowest: number }> {
  await using conn = await connectGrpc({ network: "unix", address });
  const kv = conn.protobuf(KV, protobuf);
  let slowest = 0;
  let calls = 0;
  while (!until()) {
    const begun = performance.now();
    await kv.get({ key: "there?" }, { timeout: 20_000 });
    slowest = Math.max(slowest, performance.now() - begun);
    calls++;
  }
  return { calls, slowest };
}

for (const name of [
  "SETTINGS",
  "SETTINGS that change every window",
  "PING",
  "answers to no PING",
  "streams that are reset at once",
  "streams that stay",
  "calls of no method",
  "empty DATA",
  "empty messages",
  "CONTINUATION without an end",
  "empty CONTINUATION",
  "large headers",
  "headers that name one large field of the table a thousand times",
  "WINDOW_UPDATE",
  "PRIORITY",
  "unknown frames",
  "RST_STREAM of unknown streams",
  "answers that nobody reads",
  "announcements of the broker",
  "knocks at the broker",
  "calls for the output",
]) {
  test(`a flood of ${name}`, { timeout: 60_000 }, async (t) => {
    const base = await ask<Report>(victim);
    let isOver = false;
    const calling = callOn(() => isOver);
    await ask(attacker, { path: address, name });
    let highest = 0;
    let last = base;
    const begun = Date.now();
    while (Date.now() - begun < DURATION) {
      last = await ask<Report>(victim);
      highest = Math.max(highest, last.rss - base.rss);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { sent, connections } = await ask<{ sent: number; connections: number }>(attacker);
    isOver = true;
    const { calls, slowest } = await calling;
    await ask(attacker, "stop");
    const inMiB = (bytes: number): string => (bytes / MIB).toFixed(1);
    t.diagnostic(
      `${inMiB(sent)} MiB sent over ${connections} connections; rss +${inMiB(highest)} MiB; ` +
        `${calls} other calls, slowest ${slowest.toFixed(0)} ms; ${last.lines - base.lines} log lines`,
    );
    assert.ok(sent > 1000, "it was no flood");
    assert.ok(highest < 200 * MIB, `${inMiB(highest)} MiB more memory`);
    assert.ok(slowest < 10_000, `a call on another connection took ${slowest} ms`);
    assert.ok(last.lines - base.lines < 1000, `${last.lines - base.lines} log lines`);
  });
}
