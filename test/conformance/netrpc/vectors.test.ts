// Byte transcripts of Go's net/rpc client and server. The client's bytes must be Go's to the byte; the server's answers
// are compared decoded, since the type ids of Go's server depend on what its process had registered before.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as gob from "../../../src/gob/index.js";
import { caller, RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { ScriptedChannel, settle } from "../../unit/netrpc/scripted-channel.js";

interface Outcome {
  err?: { error: string; is_ErrShutdown: boolean; is_UnexpectedEOF: boolean } | null;
  reply?: { C: number };
  next_call?: "pending" | { error: string };
}

interface Vector {
  name: string;
  client_to_server?: string;
  server_to_client: string;
  server_closed_connection?: boolean;
  calls?: number;
  result?: Outcome[];
}

const vectors = readFileSync(new URL("vectors.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Vector);
const find = (name: string): Vector => vectors.find((vector) => vector.name === name)!;

const args = gob.struct({ A: gob.int, B: gob.int }, { name: "Args" });
const reply = gob.struct({ C: gob.int }, { name: "Reply" });
const methods = {
  Add: [args, reply],
  Div: [args, reply],
  Slow: [args, reply],
  EmptyErr: [args, reply],
  Str: [gob.string, gob.string],
  Map: [args, gob.map(gob.string, gob.int)],
} as const;
const response = gob.struct({ ServiceMethod: gob.string, Seq: gob.uint, Error: gob.string });

/** The answers in a server's stream, by Seq. */
function answers(stream: Buffer): Map<number, unknown> {
  const decoder = new gob.Decoder();
  decoder.push(stream);
  decoder.end();
  const found = new Map<number, unknown>();
  for (;;) {
    let header: gob.Output<typeof response>;
    try {
      header = decoder.decode(response) as gob.Output<typeof response>;
    } catch (error) {
      assert(error instanceof gob.GobError);
      return found;
    }
    const method = methods[header.ServiceMethod.split(".").at(-1) as keyof typeof methods];
    const body = decoder.decode(header.Error === "" ? method[1] : gob.emptyStruct);
    found.set(header.Seq, { ...header, body });
  }
}

function server(): RpcServer {
  const arith = {
    Add: ({ A, B }: { A: number; B: number }) => ({ C: A + B }),
    Div({ A, B }: { A: number; B: number }) {
      if (B === 0) throw new Error("divide by zero");
      return { C: Math.trunc(A / B) };
    },
    async Slow({ A, B }: { A: number; B: number }) {
      await sleep(50);
      return { C: A + B };
    },
    // In Go an error without a text is no error on the wire; ours cannot be returned by accident.
    EmptyErr: () => ({ C: 9 }),
    Str: (text: string) => `got ${text}`,
    Map: ({ A }: { A: number }) => new Map([["a", A]]),
  };
  return new RpcServer().register("Arith", methods, arith).register("net.rpc.Arith", methods, arith);
}

describe("a server answers Go's client as Go's server does", () => {
  for (const vector of vectors.filter((v) => v.client_to_server !== undefined)) {
    for (const step of [Infinity, 1]) {
      test(`${vector.name}, ${step === 1 ? "byte by byte" : "at once"}`, async () => {
        const channel = new ScriptedChannel();
        void server().serve(channel);
        const bytes = Buffer.from(vector.client_to_server!, "hex");
        for (let at = 0; at < bytes.length; at += step) channel.feed(bytes.subarray(at, at + step));
        channel.finish();
        for (let waited = 0; !channel.ended && waited < 5000; waited += 5) await sleep(5);
        assert(channel.ended, "the connection ends with its client");
        const expected = answers(Buffer.from(vector.server_to_client, "hex"));
        // Go's server was gone before its slow method had ended; ours answers a client that only half-closed.
        if (vector.name === "client-close-pending")
          expected.set(0, { ServiceMethod: "Arith.Slow", Seq: 0, Error: "", body: { C: 5 } });
        const got = answers(channel.written);
        assert.deepEqual([...got.keys()].sort(), [...expected.keys()].sort());
        for (const [seq, answer] of expected) assert.deepEqual(mild(got.get(seq)), mild(answer));
      });
    }
  }

  /** The names of Go's types in gob's error texts are those of the process that made the vectors. */
  function mild(answer: unknown): unknown {
    const { Error: text, ...rest } = answer as { Error: string };
    return { ...rest, Error: text.startsWith("gob: ") ? text.split(":").slice(0, 2).join(":") : text };
  }
});

describe("a client sends Go's bytes", () => {
  type Calls = (arith: ReturnType<typeof caller<typeof methods>>, client: RpcClient) => Promise<unknown>[];
  const scripts: Record<string, Calls> = {
    "add-3-times": (a) => [a.Add({ A: 1, B: 2 }), a.Add({ A: 3, B: 4 }), a.Add({})],
    "server-error-then-ok": (a) => [a.Div({ A: 7 }), a.Div({ A: 8, B: 2 })],
    "dotted-service": (_, client) => [caller(client, "net.rpc.Arith", methods).Add({ A: 7, B: 1 })],
    "empty-name": (_, client) => [client.call("", args, { A: 7 }, reply)],
    string: (a) => [a.Str("hi")],
    "map-reply": (a) => [a.Map({ A: 3 })],
    "pipelined-20": (a) => Array.from({ length: 20 }, (_, i) => a.Add({ A: i, B: i })),
  };
  for (const [name, calls] of Object.entries(scripts)) {
    test(name, async () => {
      const vector = find(name);
      const channel = new ScriptedChannel();
      const client = new RpcClient(channel);
      const promises = calls(caller(client, "Arith", methods), client);
      await settle();
      assert.equal(channel.written.toString("hex"), vector.client_to_server);
      channel.feed(Buffer.from(vector.server_to_client, "hex"));
      const results = await Promise.allSettled(promises);
      const expected = Array.isArray(vector.result) ? vector.result : [vector.result];
      if (name === "pipelined-20") {
        assert.deepEqual(
          results.map((r) => r.status === "fulfilled" && r.value),
          results.map((_, i) => ({ C: 2 * i })),
        );
        return;
      }
      for (const [i, result] of results.entries()) {
        const { err, reply: want } = expected[i] as Outcome;
        if (err) assert.equal(result.status === "rejected" && result.reason.message, err.error);
        else {
          const value = result.status === "fulfilled" ? result.value : undefined;
          assert.deepEqual(value instanceof Map ? Object.fromEntries(value) : value, want);
        }
      }
    });
  }

  test("unencodable-args: nothing of the failed call is sent", async () => {
    const channel = new ScriptedChannel();
    const client = new RpcClient(channel);
    const arith = caller(client, "Arith", methods);
    await assert.rejects(arith.Add({ A: "one" } as never), gob.GobError);
    void arith.Add({ A: 1, B: 2 }).catch(() => {});
    await settle();
    // The same bytes as those of a first call.
    assert.equal(channel.written.toString("hex"), find("add-3-times").client_to_server!.slice(0, 204));
  });
});

describe("a client takes what Go's client takes", () => {
  for (const vector of vectors.filter((v) => v.calls !== undefined)) {
    for (const step of [Infinity, 1]) {
      test(`${vector.name}, ${step === 1 ? "byte by byte" : "at once"}`, async () => {
        const channel = new ScriptedChannel();
        const client = new RpcClient(channel);
        const arith = caller(client, "Arith", methods);
        const calls = Array.from({ length: vector.calls! }, () => arith.Add({ A: 1, B: 2 }));
        const results = Promise.allSettled(calls);
        await settle();
        const bytes = Buffer.from(vector.server_to_client, "hex");
        for (let at = 0; at < bytes.length; at += step) channel.feed(bytes.subarray(at, at + step));
        const outcomes = vector.result!;
        const last = outcomes.at(-1)!;
        if (last.next_call !== "pending") channel.finish();
        for (const [i, result] of (await results).entries()) {
          const { err, reply: want } = outcomes[i]!;
          // A body that does not fit ends Go's client; here the other call gets its reply, which stands behind it.
          const goesOn = vector.name === "client/bad-body-type" && i === 1;
          if (goesOn) assert.deepEqual(result, { status: "fulfilled", value: { C: 2 } });
          else if (!err) assert.deepEqual(result, { status: "fulfilled", value: want });
          else {
            assert(result.status === "rejected");
            const part = err.is_UnexpectedEOF
              ? "unexpected EOF"
              : err.error.split(";")[0]!.split(" type ")[0]!;
            assert(result.reason.message.includes(part), `${result.reason.message} beside ${err.error}`);
          }
        }
        const next = arith.Add({});
        if (last.next_call === "pending") {
          assert.equal(await Promise.race([next, settle().then(() => "pending")]), "pending");
          next.catch(() => {});
          await client.close();
        } else {
          await assert.rejects(next, { code: "ERR_NETRPC_SHUTDOWN", message: "connection is shut down" });
        }
      });
    }
  }
});
