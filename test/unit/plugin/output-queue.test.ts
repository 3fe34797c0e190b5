import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ServeError } from "../../../src/plugin/errors.js";
import { MAX_WAITING_BYTES, OutputQueue } from "../../../src/plugin/output-queue.js";

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

function sink(takes = () => true) {
  const seen: Buffer[] = [];
  return {
    seen,
    text: () => Buffer.concat(seen).toString(),
    write(chunk: Buffer) {
      seen.push(chunk);
      return takes();
    },
  };
}

const queue = (onRoom = () => {}) => {
  const made = new OutputQueue(onRoom);
  made.holding = false;
  return made;
};

describe("OutputQueue", () => {
  test("keeps what comes before a connection, and hands small writes over together", () => {
    const out = queue();
    for (const text of ["a", "b", "c"]) out.write(Buffer.from(text));
    const first = sink();
    out.attach(first);
    assert.deepEqual(first.seen.map(String), ["abc"]);
    out.write(Buffer.from("d"));
    assert.equal(first.text(), "abcd");
    assert.equal(out.length, 0);
  });

  test("behaves as a pipe: writers wait beyond 64 KiB, and are told of room", async () => {
    let rooms = 0;
    const out = queue(() => rooms++);
    const done: string[] = [];
    assert.equal(
      out.write(Buffer.alloc(65_536), () => done.push("a")),
      true,
    );
    assert.equal(
      out.write(Buffer.alloc(1), () => done.push("b")),
      false,
    );
    await tick();
    assert.deepEqual([done, rooms], [["a"], 0]);
    out.attach(sink());
    await tick();
    assert.deepEqual([done, rooms], [["a", "b"], 1]);
  });

  test("a write has its place once the 64 KiB before it have left", async () => {
    const out = queue();
    let placed = 0;
    for (const size of [65_536, 1, 65_536]) out.write(Buffer.alloc(size), () => placed++);
    out.attach(sink(() => false));
    await tick();
    assert.equal(placed, 2, "of 131,073 bytes 65,536 have left");
  });

  test("never makes anybody wait before the handshake", async () => {
    const out = new OutputQueue(() => assert.fail("nobody waited"));
    let done = 0;
    assert.equal(
      out.write(Buffer.alloc(1 << 20), () => done++),
      true,
    );
    await tick();
    assert.equal(done, 1);
    out.holding = false;
    out.attach(sink());
    await tick();
  });

  test("the oldest connection gets the output, then the next, and nothing twice", () => {
    const out = queue();
    const [a, b] = [sink(), sink()];
    const first = out.attach(a);
    const second = out.attach(b);
    out.write(Buffer.from("1"));
    first.detach();
    first.detach();
    out.write(Buffer.from("2"));
    second.detach();
    out.write(Buffer.from("3"));
    const c = sink();
    out.attach(c);
    assert.deepEqual([a.text(), b.text(), c.text()], ["1", "2", "3"]);
  });

  test("what waits for a slow connection goes to the next when that one ends", () => {
    const out = queue();
    const slow = out.attach(sink(() => false));
    const next = sink();
    out.attach(next);
    out.write(Buffer.from("1"));
    out.write(Buffer.from("2"));
    assert.equal(next.text(), "");
    slow.detach();
    assert.equal(next.text(), "2");
  });

  test("what a broken connection refuses goes to the next", () => {
    const out = queue();
    const broken = {
      write(): boolean {
        throw new Error("reset");
      },
    };
    out.attach(broken);
    const next = sink();
    out.attach(next);
    out.write(Buffer.from("x"));
    out.write(Buffer.from("y"));
    assert.equal(next.text(), "xy");
  });

  test("flush waits for a slow connection, but not for ever, nor for one that never comes", async () => {
    const out = queue();
    out.write(Buffer.from("x"));
    assert.equal(await out.flush(60_000), false, "no connection: nothing to wait for");
    const slow = out.attach(sink(() => false));
    assert.equal(await out.flush(10), false);
    const flushed = out.flush(60_000);
    slow.ready();
    assert.equal(await flushed, true);
    const lost = out.attach(sink(() => false));
    slow.detach();
    out.write(Buffer.from("y"));
    out.write(Buffer.from("z"));
    const hopeless = out.flush(60_000);
    lost.detach();
    assert.equal(await hopeless, false);
    assert.equal(out.length, 1);
  });

  test("without any connection it keeps a bounded amount, says so once, and starts again", async () => {
    const out = queue();
    const told: ServeError[] = [];
    out.onOverflow = (error) => told.push(error);
    out.write(Buffer.alloc(MAX_WAITING_BYTES));
    const errors: unknown[] = [];
    for (const _ of [1, 2])
      assert.equal(
        out.write(Buffer.alloc(1), (error) => errors.push(error)),
        false,
      );
    await tick();
    assert.equal(told.length, 1);
    assert.equal(told[0]?.code, "ERR_SERVE_OUTPUT_OVERFLOW");
    assert.deepEqual(
      errors.map((error) => (error as ServeError).code),
      ["ERR_SERVE_OUTPUT_OVERFLOW", "ERR_SERVE_OUTPUT_OVERFLOW"],
    );
    const late = sink();
    const attachment = out.attach(late);
    assert.equal(Buffer.concat(late.seen).length, MAX_WAITING_BYTES);
    assert.equal(out.write(Buffer.from("z")), true);
    attachment.detach();
    out.write(Buffer.alloc(MAX_WAITING_BYTES));
    out.write(Buffer.alloc(1));
    assert.equal(told.length, 2);
  });

  test("divert takes everything that is left and all that comes", () => {
    const out = queue();
    const blocked = sink(() => false);
    out.attach(blocked);
    out.write(Buffer.from("a"));
    out.write(Buffer.from("b"));
    const last = sink();
    out.divert(last);
    out.write(Buffer.from("c"));
    assert.deepEqual([blocked.text(), last.text()], ["a", "bc"]);
  });

  test("whatever connections do, each byte goes to one of them, in order", async () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant("write" as const), size: fc.integer({ min: 0, max: 100_000 }) }),
      fc.constantFrom({ op: "attach" as const }, { op: "ready" as const }, { op: "detach" as const }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.infiniteStream(fc.boolean()),
        async (steps, coins) => {
          const out = queue();
          const received: Buffer[] = [];
          const attachments: { ready(): void; detach(): void }[] = [];
          let [wrote, callbacks, written] = [0, 0, 0];
          const collect = (takes: () => boolean) => ({
            write(chunk: Buffer) {
              received.push(chunk);
              return takes();
            },
          });
          for (const { op, ...rest } of steps) {
            if (op === "write" && "size" in rest) {
              const chunk = Buffer.from(Array.from({ length: rest.size % 997 }, () => wrote++ & 0xff));
              out.write(chunk, () => callbacks++);
              written++;
            }
            if (op === "attach") attachments.push(out.attach(collect(() => coins.next().value as boolean)));
            if (op === "ready") for (const attachment of attachments) attachment.ready();
            if (op === "detach") attachments.shift()?.detach();
          }
          out.divert(collect(() => true));
          await tick();
          const whole = Buffer.concat(received);
          assert.equal(whole.length, wrote);
          assert.ok(whole.every((byte, at) => byte === (at & 0xff)));
          assert.equal(callbacks, written);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a large write is handed over in parts", () => {
    const out = queue();
    const taker = sink();
    out.attach(taker);
    const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, i) => i));
    out.write(bytes);
    assert.deepEqual(
      taker.seen.map(({ length }) => length),
      [65_536, 65_536, 18_928],
    );
    assert.deepEqual(Buffer.concat(taker.seen), bytes);
  });

  test("what a connection has not sent when the process ends comes back, and what it has sent does not", () => {
    for (const [hasSent, expected] of [
      [undefined, "first second"],
      [() => false, "first second"],
      [() => true, " second"],
    ] as const) {
      const out = queue();
      const slow = sink(() => false);
      out.attach(hasSent === undefined ? slow : { ...slow, hasSent });
      out.write(Buffer.from("first"));
      out.write(Buffer.from(" second"));
      out.reclaim();
      assert.equal(out.length, expected.length);
      const last = sink();
      out.divert(last);
      assert.equal(last.text(), expected);
    }
  });

  test("what a connection was ready after does not come back", () => {
    const out = queue();
    const taker = sink(() => false);
    const { ready } = out.attach(taker);
    out.write(Buffer.from("first"));
    ready();
    out.reclaim();
    assert.equal(out.length, 0);
  });
});
