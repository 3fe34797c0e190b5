import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ORPHAN_GRACE_MS } from "../../../src/plugin/orphan.js";
import { isRunning, until } from "../../interop/support.js";

/** Starts a host with a plugin, kills the host by SIGKILL, and returns what is left of the plugin. */
async function orphan(how: string): Promise<{ pid: number; socket: string }> {
  const script = fileURLToPath(new URL("orphan-host.ts", import.meta.url));
  const host = spawn(process.execPath, ["--import", "tsx", script, how], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(host.stdout, "data")) as [Buffer];
  host.kill("SIGKILL");
  const [pid, handshake] = line.toString().trim().split(" ");
  return { pid: Number(pid), socket: handshake!.split("|")[3]! };
}

test("a plugin whose host was killed ends by itself, unless it is meant to be reattached to", async () => {
  const [alone, outliving] = await Promise.all([orphan("plain"), orphan("outlive")]);
  try {
    assert.ok(isRunning(alone.pid) && isRunning(outliving.pid));
    await sleep(ORPHAN_GRACE_MS);
    await until("the end of the plugin that is alone", () => !isRunning(alone.pid));
    assert.equal(existsSync(alone.socket), false);
    assert.ok(isRunning(outliving.pid));
    assert.ok(existsSync(outliving.socket));
    process.kill(outliving.pid, "SIGTERM");
    await until("the end of the plugin that outlived its host", () => !isRunning(outliving.pid));
    assert.equal(existsSync(outliving.socket), false);
  } finally {
    for (const { pid } of [alone, outliving]) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  }
});
