// Executables that are verified before they are started, with real Go plugins.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, readlink, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Runner } from "../../src/process/runner.js";
import type { Case, CaseContext } from "./case.js";
import { greeter, withClient } from "./support.js";

const needs = ["greeter-netrpc"];
const plugins = { greeter };
/** Windows starts nothing without an extension. */
const copyName = `greeter${process.platform === "win32" ? ".exe" : ""}`;

interface Copy {
  path: string;
  checksum: string;
}

async function withCopy(
  { bin }: CaseContext,
  hash: string,
  use: (copy: Copy) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "goplug-secure-"));
  try {
    const path = join(dir, copyName);
    await copyFile(bin("greeter-netrpc"), path);
    await use({
      path,
      checksum: createHash(hash)
        .update(await readFile(path))
        .digest("hex"),
    });
  } finally {
    await rm(dir, { recursive: true });
  }
}

const hashes = ["sha256", "sha512", "sha3-256", "md5"];

export const cases: Case[] = [
  ...[false, true].map(
    (pinned): Case => ({
      name: `ts->go netrpc secureConfig${pinned ? " pinned" : ""}, the expected file (TestClient_SecureConfig)`,
      needs,
      async run(context) {
        for (const hash of hashes) {
          await withCopy(context, hash, async ({ path, checksum }) => {
            const secureConfig = { checksum, hash, pinned };
            await withClient({ cmd: [path], plugins, secureConfig }, async (client) => {
              assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
            });
          });
        }
      },
    }),
  ),
  ...[false, true].map(
    (pinned): Case => ({
      name: `ts->go netrpc secureConfig${pinned ? " pinned" : ""}, another file is not started (TestClient_SecureConfig)`,
      needs,
      run: (context) =>
        withCopy(context, "sha256", async ({ path, checksum }) => {
          const mark = join(dirname(path), "started");
          await writeFile(path, `#!/bin/sh\ntouch ${mark}\n`);
          await withClient(
            { cmd: [path], plugins, secureConfig: { checksum, hash: "sha256", pinned } },
            (client) =>
              assert.rejects(client.start(), {
                code: "ERR_CHECKSUM_MISMATCH",
                message: "checksums did not match",
              }),
          );
          assert.equal(existsSync(mark), false);
        }),
    }),
  ),
  {
    name: "ts->go netrpc secureConfig pinned, the file is replaced between check and start",
    needs,
    run: (context) =>
      withCopy(context, "sha256", async ({ path, checksum }) => {
        const mark = join(dirname(path), "started");
        const { CommandRunner } = await import("../../src/process/command-runner.js");
        let startedPath = "";
        const runner = async (command: ConstructorParameters<typeof CommandRunner>[0]): Promise<Runner> => {
          // The check is over, the start has not begun: the moment that an attacker waits for.
          await writeFile(`${path}.evil`, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
          await rename(`${path}.evil`, path);
          startedPath = command.path;
          return new CommandRunner(command);
        };
        const secureConfig = { checksum, hash: "sha256", pinned: true };
        await withClient({ cmd: [path], runner, plugins, secureConfig }, async (client) => {
          assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
          assert.equal(basename(startedPath), copyName);
          if (process.platform === "linux") {
            assert.equal(await readlink(`/proc/${client.id}/exe`), startedPath);
          }
        });
        assert.equal(existsSync(mark), false);
        assert.equal(existsSync(dirname(startedPath)), false, "the copy is removed with the plugin");
      }),
  },
];
