import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { deadline } from "../../../src/deadline.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Waits for the signal as code does that holds nothing else: by a listener. */
function fired(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true }),
  );
}

test("fires after its time, even when nobody but the waiting one holds it", async () => {
  const waiting = fired(deadline(100, new AbortController().signal).signal);
  await sleep(20);
  for (let i = 0; i < 3; i++) gc();
  const late = sleep(5000, "never", { ref: true });
  assert.match(String(await Promise.race([waiting, late])), /not done within 100 ms/);
});

test("fires with another signal, at once where that has fired", () => {
  const other = new AbortController();
  const limit = deadline(60_000, new AbortController().signal, other.signal);
  other.abort("enough");
  assert.deepEqual([limit.signal.aborted, limit.signal.reason, limit.isLate], [true, "enough", false]);
  limit.release();
  const after = deadline(60_000, other.signal);
  assert.equal(after.signal.reason, "enough");
  after.release();
});

test("says whether it was the time", async () => {
  const limit = deadline(1);
  await sleep(20);
  assert(limit.signal.aborted && limit.isLate);
});

test("does not fire after its release, and leaves nothing on the signals", async () => {
  const other = new AbortController();
  const limit = deadline(10, other.signal);
  assert.equal(getEventListeners(other.signal, "abort").length, 1);
  limit.release();
  assert.equal(getEventListeners(other.signal, "abort").length, 0);
  await sleep(30);
  assert.equal(limit.signal.aborted, false);
});

test("has no limit where no timer could hold it", async () => {
  for (const time of [2 ** 31, Number.POSITIVE_INFINITY]) {
    const limit = deadline(time);
    await sleep(5);
    assert.equal(limit.signal.aborted, false);
    limit.release();
  }
});
