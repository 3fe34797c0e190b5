import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { GobReader } from "../../../src/cli/gob/reader.js";
import { gob } from "../../../src/index.js";
import { goplug } from "./run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "gob-"));
after(() => rmSync(folder, { recursive: true }));

const item = gob.struct({ Name: gob.string, Price: gob.float64 });
const order = gob.struct(
  {
    Id: gob.int64,
    Note: gob.rawString,
    Items: gob.slice(item),
    Placed: gob.time,
    Any: gob.any,
    Counts: gob.map(gob.int, gob.bool),
    Total: gob.bigInt,
    Bytes: gob.bytes,
  },
  { name: "example.com/shop.Order" },
);

function sample(): Buffer {
  const encoder = new gob.Encoder();
  encoder.encode(order, {
    Id: 2n ** 60n,
    Note: Buffer.from('a "b"\n\xff', "latin1"),
    Items: [{ Name: "tea", Price: Number.NaN }],
    Placed: new gob.GoTime(1_700_000_000n, 5_000, 3600),
    Any: gob.value(gob.slice(gob.int), [1, 2]),
    Counts: new Map([[1, true]]),
    Total: 77n,
    Bytes: Buffer.from([0, 255]),
  });
  encoder.encode(gob.string, "next");
  encoder.encode(gob.any, gob.value(gob.int, 5));
  return encoder.take();
}

const shown = `type Order struct { // 65
	Id     int
	Note   string
	Items  []T66
	Placed Time
	Any    any
	Counts map[int]bool
	Total  Int
	Bytes  []byte
}
type T66 struct { // 66
	Name  string
	Price float64
}
type Time struct{} // 68, a GobEncoder
type Int struct{} // 70, a GobEncoder
Order{
	Id: 1152921504606846976,
	Note: "a \\"b\\"\\n\\xff",
	Items: []T66{T66{Name: "tea", Price: NaN}},
	Placed: Time("2023-11-14T23:13:20.000005+01:00"),
	Any: []int{1, 2},
	Counts: map[int]bool{1: true},
	Total: Int(0x024d),
	Bytes: []byte(0x00ff),
}
"next"
any(5) /* int */
`;

/** The lines for a stream that comes in pieces of one size. */
function lines(bytes: Buffer, piece: number, options = { rpc: false, json: false }): string[] {
  const reader = new GobReader(options);
  const all: string[] = [];
  for (let i = 0; i < bytes.length; i += piece) all.push(...reader.read(bytes.subarray(i, i + piece)));
  return [...all, ...reader.end()];
}

test("a stream is shown as Go declarations and literals, from a file and from standard input", () => {
  const path = join(folder, "order.gob");
  writeFileSync(path, sample());
  for (const ran of [goplug(["gob", path]), goplug(["gob"], { input: sample() })]) {
    assert.equal(ran.err, "");
    assert.equal(ran.out, shown);
    assert.equal(ran.code, 0);
  }
});

test("pieces of any size show the same", () => {
  for (const piece of [1, 2, 7, 100]) assert.equal(`${lines(sample(), piece).join("\n")}\n`, shown);
});

test("as JSON each line parses, and holds what JSON has no form for", () => {
  const parsed = lines(sample(), 1000, { rpc: false, json: true }).map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  );
  const [first, second, third] = parsed.filter((line) => "value" in line) as {
    value: Record<string, unknown>;
    type: string;
    offset: number;
  }[];
  assert.equal(first!.type, "Order");
  assert.equal(first!.offset, 0);
  assert.deepEqual(first!.value.Items, [{ Name: "tea", Price: { $float: "NaN" } }]);
  assert.deepEqual(first!.value.Any, { $type: "[]int", $value: [1, 2] });
  assert.deepEqual(first!.value.Counts, { $map: [[1, true]] });
  assert.deepEqual(first!.value.Bytes, { $bytes: "AP8=" });
  assert.deepEqual(first!.value.Total, { $opaque: "Ak0=" });
  assert.equal(second!.value, "next");
  assert.deepEqual(third!.value, { $type: "int", $value: 5 });
  assert(parsed.some((line) => (line.define as { text?: string } | undefined)?.text === "[]T66"));
  // Beyond 2^53 JSON.parse rounds; the digits are all there.
  assert.match(lines(sample(), 1000, { rpc: false, json: true }).join("\n"), /"Id":1152921504606846976,/);
});

test("of a net/rpc stream headers and bodies belong together", () => {
  const requests = new gob.Encoder();
  const header = gob.struct({ ServiceMethod: gob.string, Seq: gob.uint }, { name: "Request" });
  requests.encode(header, { ServiceMethod: "Plugin.Buy" });
  requests.encode(item, { Name: "tea" });
  const bytes = requests.take();
  assert.deepEqual(lines(bytes, 3, { rpc: true, json: false }).slice(-2), [
    "// request 0 Plugin.Buy",
    'T66{Name: "tea"}',
  ]);
  const responses = new gob.Encoder();
  const answer = gob.struct(
    { ServiceMethod: gob.string, Seq: gob.uint, Error: gob.string },
    { name: "Response" },
  );
  responses.encode(answer, { ServiceMethod: "Plugin.Buy", Seq: 7, Error: "sold out" });
  responses.encode(gob.emptyStruct, {});
  const [line] = lines(responses.take(), 1000, { rpc: true, json: true }).slice(-1);
  assert.deepEqual(JSON.parse(line!).error, "sold out");
  // A header that nothing follows is said, and so is what is no header.
  assert.throws(
    () =>
      lines(bytes.subarray(0, bytes[0]! + 1 + bytes[bytes[0]! + 1]! + 1), 1000, { rpc: true, json: false }),
    /without its body/,
  );
  assert.throws(() => lines(sample(), 1000, { rpc: true, json: false }), /no net\/rpc header/);
});

test("of a stream that breaks off there is what was read so far, the offset and why", () => {
  const bytes = sample();
  const ran = goplug(["gob"], { input: bytes.subarray(0, bytes.length - 3) });
  assert.equal(ran.out, shown.replace(/^any\(5\).*\n/m, ""));
  assert.match(ran.err, /^goplug: standard input: unexpected EOF \(byte \d+\)\n$/);
  assert.equal(ran.code, 2);
});

test("every stream that is cut short or damaged ends in one error", () => {
  const bytes = sample();
  for (let i = 1; i < bytes.length; i += 5) {
    const damaged = Buffer.from(bytes);
    damaged[i] = damaged[i]! ^ 0x55;
    for (const stream of [bytes.subarray(0, i), damaged])
      try {
        lines(stream, 16);
      } catch (error) {
        assert.match(String((error as gob.GobError).code), /^ERR_GOB_/, String(error));
      }
  }
});

test("bad usage is one line and exit code 2", () => {
  for (const args of [[join(folder, "nowhere")], [folder], ["a", "b"], ["--nonsense"]]) {
    const ran = goplug(["gob", ...args]);
    assert.equal(ran.code, 2);
    assert.equal(ran.err.trimEnd().split("\n").length, 1, ran.err);
    assert.equal(ran.out, "");
  }
});

test("values show as they come, before the stream ends", async () => {
  const main = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, "gob"]);
  try {
    const encoder = new gob.Encoder();
    encoder.encode(gob.string, "early");
    child.stdin.write(encoder.take());
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    assert.equal(chunk.toString(), '"early"\n');
  } finally {
    child.stdin.end();
  }
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0);
});

test("a reader that goes away ends the command", async () => {
  const main = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, "gob"]);
  child.stdin.on("error", () => {});
  const encoder = new gob.Encoder();
  encoder.encode(gob.string, "x".repeat(1000));
  child.stdin.write(encoder.take());
  await once(child.stdout, "data");
  child.stdout.destroy();
  const exited = once(child, "exit");
  const feed = setInterval(() => {
    encoder.encode(gob.string, "x".repeat(1000));
    child.stdin.write(encoder.take());
  }, 5);
  const [code] = (await exited) as [number];
  clearInterval(feed);
  assert.equal(code, 0);
});
