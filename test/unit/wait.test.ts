import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createConnection, createServer } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AbortedError, OptionError, TimeoutError } from "../../src/errors.js";
import { gracePeriod, timeLimit, wholeNumber } from "../../src/options.js";
import { limited, onceCut, startTimer, unlessCut, waitFor, within } from "../../src/wait.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;
const what = "the wait";
const never = new Promise<never>(() => {});

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

/** Timers that keep the process alive. */
function liveTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

describe("the rule for times", () => {
  test("not given, and 0, is the default", () => {
    assert.deepEqual([timeLimit("t", undefined, 7), timeLimit("t", 0, 7), timeLimit("t", -0, 7)], [7, 7, 7]);
  });

  test("a positive number is itself, fractions included", () => {
    for (const time of [0.25, 1, 1500.5, 2 ** 31 - 1]) assert.equal(timeLimit("t", time, 7), time);
  });

  test("what no timer can hold is no limit", () => {
    for (const time of [2 ** 31, Number.MAX_VALUE, Infinity]) assert.equal(timeLimit("t", time, 7), Infinity);
  });

  test("all else is refused by its name", () => {
    for (const time of [-1, -Infinity, NaN, null, "5000", 5000n, {}, [], true, Symbol("5")]) {
      assert.throws(
        () => timeLimit("startTimeout", time, 7),
        (error: unknown) =>
          error instanceof OptionError &&
          error.code === "ERR_OPTION" &&
          error.option === "startTimeout" &&
          /^startTimeout must be a number of milliseconds, 0 or above, not \S/.test(error.message),
      );
    }
  });

  test("0 is no grace", () => {
    assert.deepEqual([gracePeriod("g", 0, 7), gracePeriod("g", undefined, 7)], [0, 7]);
    assert.throws(() => gracePeriod("g", -1, 7), OptionError);
  });

  test("whole numbers keep to their bounds", () => {
    for (const n of [1, 5, 10]) assert.equal(wholeNumber("n", n, 1, 10), n);
    for (const n of [0, 11, 1.5, NaN, "5", null, undefined, 2 ** 53]) {
      assert.throws(() => wholeNumber("n", n, 1, 10), {
        message: /^n must be a whole number from 1 to 10, not /,
      });
    }
  });
});

describe("startTimer", () => {
  test("looks at what had arrived before it gives its verdict", async () => {
    const server = createServer((socket) => socket.write("here")).listen(0);
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const socket = createConnection(port);
    const verdict = new Promise<string>((resolve) => {
      socket.once("connect", () => {
        startTimer(20, () => resolve("late"));
        socket.once("data", () => resolve("arrived"));
        // The bytes come while this loop blocks.
        const until = performance.now() + 300;
        while (performance.now() < until);
      });
    });
    assert.equal(await verdict, "arrived");
    socket.destroy();
    server.close();
  });

  test("can be taken back until its verdict", async () => {
    let called = false;
    const stop = startTimer(0, () => {
      called = true;
    });
    // Both timers are due in one turn of the event loop, this one second; the verdict is to come behind it.
    setTimeout(stop, 0);
    const until = performance.now() + 20;
    while (performance.now() < until);
    await sleep(50);
    assert.equal(called, false);
  });

  test("keeps the process alive unless told otherwise", () => {
    const before = liveTimers();
    const stops = [startTimer(60_000, () => {}), startTimer(60_000, () => {}, false)];
    assert.equal(liveTimers(), before + 1);
    for (const stop of stops) stop();
    assert.equal(liveTimers(), before);
  });

  test("never fires where no timer could hold it", async () => {
    for (const time of [2 ** 31, Infinity]) {
      const stop = startTimer(time, () => assert.fail("fired"));
      await sleep(10);
      stop();
    }
  });
});

describe("onceCut", () => {
  test("gives the error of the limit that comes first, once, and leaves nothing on the signals", async () => {
    const caller = new AbortController();
    const ended = new AbortController();
    const errors: Error[] = [];
    const limits = { what, signal: caller.signal, ended: ended.signal, timeout: 5 };
    onceCut(limits, (error) => errors.push(error));
    assert.deepEqual([listeners(caller.signal), listeners(ended.signal)], [1, 1]);
    caller.abort("enough");
    ended.abort(new Error("over"));
    await sleep(30);
    assert.equal(errors.length, 1);
    assert(errors[0] instanceof AbortedError && errors[0].cause === "enough");
    assert.deepEqual([listeners(caller.signal), listeners(ended.signal)], [0, 0]);
  });

  test("where a signal has fired it calls before it returns", () => {
    const errors: Error[] = [];
    onceCut({ what, signal: AbortSignal.abort("before") }, (error) => errors.push(error));
    assert.equal(errors.length, 1);
  });

  test("taken back it is silent", async () => {
    const caller = new AbortController();
    onceCut({ what, signal: caller.signal, timeout: 5 }, () => assert.fail("cut"))();
    caller.abort();
    await sleep(30);
    assert.equal(listeners(caller.signal), 0);
  });
});

describe("waitFor", () => {
  test("undoes its set-up once, and says what cut it", async () => {
    for (const [start, expected] of [
      ["cut", "Error: over"],
      ["resolve", undefined],
      ["reject", undefined],
    ] as const) {
      const ended = new AbortController();
      const undone: unknown[] = [];
      const waiting = waitFor<string>({ what, ended: ended.signal, timeout: 60_000 }, (resolve, reject) => {
        setImmediate(() => {
          if (start === "cut") ended.abort(new Error("over"));
          if (start === "resolve") resolve("value");
          if (start === "reject") reject(new Error("refused"));
          resolve("later");
        });
        return (cut) => undone.push(cut?.toString());
      });
      const outcome = await waiting.catch(String);
      assert.equal(outcome, { cut: "Error: over", resolve: "value", reject: "Error: refused" }[start]);
      assert.deepEqual(undone, [expected]);
      assert.equal(listeners(ended.signal), 0);
    }
  });

  test("undoes a set-up that settles while it is made", async () => {
    const undone: unknown[] = [];
    const waiting = waitFor<string>({ what }, (resolve) => {
      resolve("at once");
      return (cut) => undone.push(cut);
    });
    assert.equal(await waiting, "at once");
    assert.deepEqual(undone, [undefined]);
  });

  test("begins nothing where a signal has fired", async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(
      waitFor({ what, signal }, () => assert.fail("begun")),
      { code: "ERR_ABORTED" },
    );
  });

  test("rejects with what its set-up throws, or a time that is none, and leaves no timer", async () => {
    const before = liveTimers();
    const bad = waitFor({ what, timeout: 60_000 }, () => {
      throw new RangeError("no");
    });
    await assert.rejects(bad, RangeError);
    await assert.rejects(
      waitFor({ what, timeout: NaN }, () => assert.fail("begun")),
      OptionError,
    );
    assert.equal(liveTimers(), before);
  });

  test("is late with its own error, and with the default time", async () => {
    await assert.rejects(unlessCut(never, { what, timeout: 3 }), (error: unknown) => {
      return error instanceof TimeoutError && error.message === "the wait took longer than 3 ms";
    });
    const late = (milliseconds: number): Error => new RangeError(`late after ${milliseconds}`);
    await assert.rejects(unlessCut(never, { what, defaultTimeout: 4, late }), { message: "late after 4" });
  });
});

describe("unlessCut", () => {
  test("gives what the promise gives, and many waits share a signal", async () => {
    const caller = new AbortController();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on("warning", onWarning);
    const value = sleep(5, 5);
    const waits = Array.from({ length: 20 }, () => unlessCut(value, { what, signal: caller.signal }));
    assert.equal(listeners(caller.signal), 20);
    assert.deepEqual(new Set(await Promise.all(waits)), new Set([5]));
    assert.equal(listeners(caller.signal), 0);
    await sleep(5);
    process.off("warning", onWarning);
    assert.deepEqual(warnings, []);
  });
});

describe("limited", () => {
  test("its error is the limit's, whatever the work makes of it, and comes when the work has ended", async () => {
    let ended = false;
    const work = async (signal: AbortSignal): Promise<void> => {
      await once(signal, "abort");
      await sleep(10);
      ended = true;
      throw new Error("socket hang up", { cause: signal.reason });
    };
    await assert.rejects(limited({ what, timeout: 3 }, work), { code: "ERR_TIMEOUT" });
    assert(ended);
  });

  test("a failure without a limit stays what it is; success wins over a limit", async () => {
    const failure = new RangeError("no");
    await assert.rejects(
      limited({ what, timeout: 60_000 }, () => Promise.reject(failure)),
      RangeError,
    );
    const stubborn = async (signal: AbortSignal): Promise<string> => {
      await once(signal, "abort");
      return "done";
    };
    assert.equal(await limited({ what, timeout: 1 }, stubborn), "done");
  });

  test("fires after its time even when nobody but the waiting one holds it", async () => {
    const caller = new AbortController();
    const waiting = limited(
      { what, signal: caller.signal, timeout: 60 },
      (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
        ),
    );
    await sleep(10);
    for (let i = 0; i < 3; i++) gc();
    await assert.rejects(waiting, { code: "ERR_TIMEOUT" });
  });
});

describe("within", () => {
  test("gives the value, or undefined when it is late, and keeps the process alive meanwhile", async () => {
    const before = liveTimers();
    assert.equal(await within(60_000, Promise.resolve(5)), 5);
    assert.equal(liveTimers(), before);
    const waiting = within(20, never);
    assert.equal(liveTimers(), before + 1);
    assert.equal(await waiting, undefined);
    await assert.rejects(within(60_000, Promise.reject(new Error("no"))), { message: "no" });
    assert.equal(liveTimers(), before);
  });
});
