// Two sessions, and random orders of what both applications do: every byte arrives once, in order, every stream ends
// on both sides, and nothing is left.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Channel } from "../../../src/yamux/index.js";
import { Session } from "../../../src/yamux/index.js";
import { pattern, pipePair, until } from "../../unit/yamux/support.js";

type Step =
  | { do: "open"; side: 0 | 1 }
  | { do: "write"; which: number; size: number }
  | { do: "end"; which: number }
  | { do: "pause"; which: number }
  | { do: "resume"; which: number }
  | { do: "turn" };

const side = fc.constantFrom<0 | 1>(0, 1);
const which = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("open" as const), side }),
  fc.record({
    do: fc.constant("write" as const),
    which,
    size: fc.constantFrom(0, 1, 7, 4000, 8192, 8193, 70_000, 300_000),
  }),
  fc.record({ do: fc.constant("write" as const), which, size: fc.nat(5000) }),
  fc.record({ do: fc.constant("end" as const), which }),
  fc.record({ do: fc.constant("pause" as const), which }),
  fc.record({ do: fc.constant("resume" as const), which }),
  fc.record({ do: fc.constant("turn" as const) }),
);

interface End {
  channel: Channel;
  sent: Buffer[];
  got: Buffer[];
  events: string[];
  writable: boolean;
}

function use(channel: Channel): End {
  const end: End = { channel, sent: [], got: [], events: [], writable: true };
  channel.attach({
    onData: (chunk) => {
      assert.deepEqual(end.events, []);
      end.got.push(Buffer.from(chunk));
    },
    onEnd: () => end.events.push("end"),
    onClose: (error) => end.events.push(`close ${error}`),
  });
  return end;
}

test("random interleavings", { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const pair = pipePair();
      const config = { enableKeepAlive: false, acceptBacklog: 8 };
      const sessions = [Session.client(pair[0], config), Session.server(pair[1], config)] as const;
      const opened: End[] = [];
      const accepted = new Map<number, End>();
      for (const session of sessions) {
        void (async () => {
          for (;;) {
            const channel = await session.acceptChannel();
            accepted.set(channel.id, use(channel));
          }
        })().catch(() => {});
      }
      const all = (): End[] => [...opened, ...accepted.values()];
      const chosen = (index: number): End | undefined => all()[index % Math.max(1, all().length)];
      let seed = 1;
      for (const action of steps) {
        if (action.do === "open") opened.push(use(await sessions[action.side].openChannel()));
        else if (action.do === "turn") await new Promise((resolve) => setImmediate(resolve));
        else {
          const end = chosen(action.which);
          if (end === undefined) continue;
          if (action.do === "write" && end.writable) {
            const bytes = pattern(action.size, seed++);
            end.sent.push(Buffer.from(bytes));
            end.channel.write(bytes);
          }
          if (action.do === "end") {
            end.writable = false;
            end.channel.end();
          }
          if (action.do === "pause") end.channel.pause();
          if (action.do === "resume") end.channel.resume();
        }
      }
      await until(() => accepted.size === opened.length, "all streams accepted");
      for (const end of all()) {
        end.channel.resume();
        end.channel.end();
      }
      await until(() => sessions[0].numStreams + sessions[1].numStreams === 0, "all streams over");
      await until(() => all().every((end) => end.events.length === 2), "all handlers told");
      for (const end of opened) {
        const other = accepted.get(end.channel.id)!;
        assert.ok(Buffer.concat(other.got).equals(Buffer.concat(end.sent)), "opener to accepter");
        assert.ok(Buffer.concat(end.got).equals(Buffer.concat(other.sent)), "accepter to opener");
        assert.deepEqual(end.events, ["end", "close undefined"]);
        assert.deepEqual(other.events, ["end", "close undefined"]);
      }
      await Promise.all(sessions.map((session) => session.close()));
    }),
    { numRuns: 60 },
  );
});
