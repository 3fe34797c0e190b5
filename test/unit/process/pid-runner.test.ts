import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startTime } from "../../../src/process/identity.js";
import { PidRunner, ProcessNotFoundError } from "../../../src/process/pid-runner.js";

describe("attaching to a pid", { skip: process.platform !== "linux" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "goplug-pid-"));
  const address = join(folder, "s");
  const server = createServer();
  before(() => once(server.listen(address), "listening"));
  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { pid } = process;

  test("works when it is the process that it was, and listens", async () => {
    const runner = await PidRunner.attach({ pid, network: "unix", address, startTime: await startTime(pid) });
    assert.equal(runner.id, String(pid));
  });

  test("is refused when the pid was given to another process since", async () => {
    await assert.rejects(
      PidRunner.attach({ pid, network: "unix", address, startTime: "1" }),
      (error: unknown) => {
        assert(error instanceof ProcessNotFoundError);
        assert.match(error.message, /is another process by now$/);
        return true;
      },
    );
  });

  test("is refused when the process does not listen there", async () => {
    const elsewhere = { pid, network: "unix", address: join(folder, "other") };
    await assert.rejects(PidRunner.attach(elsewhere), /does not listen on unix/);
  });
});

test("where there is no /proc, ps tells when a process was started, and nothing of one that is not there", {
  skip: process.platform === "win32",
}, async () => {
  const started = await startTime(process.pid, "darwin");
  // As in "Sat Nov 28 20:21:48 2026"; read as UTC it is a moment shortly before now.
  assert.match(started ?? "", /^\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}$/);
  const age = Date.now() - Date.parse(`${started} UTC`);
  assert.ok(age > -2000 && age < 3_600_000, `${age} ms ago`);
  assert.equal(await startTime(process.pid, "darwin"), started);
  assert.equal(await startTime(2 ** 31 - 1, "darwin"), undefined);
  assert.equal(await startTime(process.pid, "win32"), undefined);
});
