import { subjects } from "/work/wt-gob/bench/gob/values.ts";
import * as gob from "/work/wt-gob/src/gob/index.ts";
const name = process.argv[2]!, dir = process.argv[3]!, n = Number(process.argv[4] ?? 300);
const { schema, value } = subjects[name]!;
const encoder = new gob.Encoder(); const decoder = new gob.Decoder();
encoder.encode(schema, value); decoder.push(encoder.take()); decoder.decode(schema);
encoder.encode(schema, value); const m = Buffer.from(encoder.take());
let s: any;
for (let round = 0; round < 5; round++) {
const t = process.hrtime.bigint();
for (let i = 0; i < n; i++) { if (dir === "decode") { decoder.push(m); s = decoder.decode(schema); } else { encoder.encode(schema, value); s = encoder.take(); } }
console.log(name, dir, Number(process.hrtime.bigint() - t) / n / 1000, "µs");
}
