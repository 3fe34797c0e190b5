// When a peer is asked for a sign of life and given up, by a clock of the test's own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Keepalive } from "../../../src/http2/keepalive.js";

function start(times: { time: number; timeout: number }) {
  const events: string[] = [];
  let now = 0;
  let due: { at: number; then: () => void } | undefined;
  const clock = {
    now: () => now,
    start(milliseconds: number, then: () => void) {
      due = { at: now + milliseconds, then };
      return () => {
        due = undefined;
      };
    },
  };
  const keepalive = new Keepalive(
    times,
    {
      ask: () => events.push(`${now}: ask`),
      silent: (milliseconds) => events.push(`${now}: silent for ${milliseconds}`),
    },
    clock,
  );
  const until = (time: number): void => {
    while (due !== undefined && due.at <= time) {
      const { at, then } = due;
      due = undefined;
      now = at;
      then();
    }
    now = time;
  };
  return { keepalive, events, until };
}

test("the time counts from what came last, not from the clock's own rounds", () => {
  const { keepalive, events, until } = start({ time: 3000, timeout: 1000 });
  until(100);
  keepalive.heard();
  until(10_000);
  assert.deepEqual(events, ["3100: ask", "4100: silent for 4000"]);
});

test("a peer that answers is asked again after another silence", () => {
  const { keepalive, events, until } = start({ time: 1000, timeout: 500 });
  until(1200);
  keepalive.heard();
  until(2300);
  assert.deepEqual(events, ["1000: ask", "2200: ask"]);
  keepalive.heard();
  until(3299);
  assert.deepEqual(events.length, 2);
  until(9999);
  assert.deepEqual(events.slice(2), ["3300: ask", "3800: silent for 1500"]);
});

test("one that is stopped says nothing", () => {
  const { keepalive, events, until } = start({ time: 10, timeout: 10 });
  keepalive.stop();
  until(1000);
  assert.deepEqual(events, []);
});
