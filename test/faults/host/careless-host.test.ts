// Nothing that a plugin does may end its host, whatever the host's own code makes of it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { binary } from "../../interop/case.js";
import { needs } from "../../support.js";

const script = fileURLToPath(new URL("careless-host.ts", import.meta.url));

describe(
  "a host lives through a plugin that prints, logs and crashes, although its",
  needs("kv-netrpc"),
  () => {
    for (const mode of [
      "logger throws",
      "syncStdout fails",
      "syncStderr throws",
      "stderr fails",
      "syncStdout is process.stderr without a reader",
      "stderr without a reader",
    ]) {
      test(mode, async () => {
        const child = spawn(process.execPath, ["--import", "tsx", script, mode, binary("kv-netrpc")], {
          stdio: ["ignore", "pipe", "pipe"],
          timeout: 60_000,
          killSignal: "SIGKILL",
        });
        let said = "";
        if (mode.includes("without a reader")) child.stderr.destroy();
        else child.stderr.on("data", (chunk: Buffer) => (said += chunk));
        let printed = "";
        child.stdout.on("data", (chunk: Buffer) => (printed += chunk));
        const [code] = (await once(child, "close")) as [number | null];
        assert.deepEqual([code, printed], [0, "survived\n"], said);
      });
    }
  },
);
