import * as gob from "../src/gob/index.js";
import { GoPeer } from "./gob/go-peer.js";
import { codecsOf } from "./gob/peers.js";
import { type Subject as Measured, subjects } from "./gob/values.js";
import { alternate, type Row, row, type Suite, type Subject as Timed } from "./harness.js";

const ROUNDS = 7;

/** Whatever is measured leaves its result here, so that none of it can be optimised away. */
let sink: unknown;

/** Nanoseconds for one of n operations. */
function time(n: number, operation: () => unknown): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < n; i++) sink = operation();
  return Number(process.hrtime.bigint() - start) / n;
}

/** A value encoded on a stream that knows its type, into bytes that the caller may keep. */
function encoding({ schema, value }: Measured): () => Buffer {
  const encoder = new gob.Encoder();
  encoder.encode(schema, value);
  encoder.take();
  return () => {
    encoder.encode(schema, value);
    return encoder.take();
  };
}

/** A value decoded on a stream that knows its type. */
function decoding({ schema, value }: Measured): () => unknown {
  const encoder = new gob.Encoder();
  const decoder = new gob.Decoder();
  encoder.encode(schema, value);
  decoder.push(encoder.take());
  decoder.decode(schema);
  encoder.encode(schema, value);
  const message = Buffer.from(encoder.take());
  return () => {
    decoder.push(message);
    return decoder.decode(schema);
  };
}

/** The first value of a type on a stream that is new, of a shape that other streams have had. */
async function firstDecode(): Promise<Row> {
  const { schema, value } = subjects.person!;
  const bytes = gob.encode(schema, value);
  const first = (): unknown => {
    const decoder = new gob.Decoder();
    decoder.push(bytes);
    return decoder.decode(schema);
  };
  const n = 20_000;
  time(n, first);
  const limit = 20;
  const { goplug } = await alternate(ROUNDS, { goplug: async () => time(n, first) / 1000 });
  return row("gob.first_decode", "µs", "lower", goplug, "limit", limit);
}

async function measure(go: GoPeer, name: string, wanted: (row: string) => boolean): Promise<Row[]> {
  const rows: Row[] = [];
  const subject = subjects[name]!;
  for (const direction of ["encode", "decode"] as const) {
    const rowName = `gob.${direction}.${name}`;
    if (!wanted(rowName)) continue;
    const operation = direction === "encode" ? encoding(subject) : decoding(subject);
    const codecs = codecsOf(name);
    const timed: Record<string, Timed> = {
      goplug: async () => time(subject.n, operation),
      go: () => go.measure(`${direction}.${name}`, subject.n),
    };
    for (const [peer, codec] of Object.entries(codecs)) {
      const encoded = codec.encode(subject.value);
      timed[peer] = async () =>
        time(
          subject.n,
          direction === "encode" ? () => codec.encode(subject.value) : () => codec.decode(encoded),
        );
    }
    await alternate(2, timed);
    const figures = await alternate(ROUNDS, timed);
    for (const peer of ["go", ...Object.keys(codecs)])
      rows.push(
        row(
          peer === "go" ? rowName : `${rowName}.${peer}`,
          "ns",
          "lower",
          figures.goplug!,
          peer,
          figures[peer]!,
          1,
        ),
      );
  }
  return rows;
}

export const suite: Suite = {
  name: "gob: encoding and decoding, beside Go's encoding/gob and what Node programs use",
  async run(wanted) {
    const rows: Row[] = [];
    const go = new GoPeer();
    try {
      for (const name of Object.keys(subjects)) rows.push(...(await measure(go, name, wanted)));
    } finally {
      go.close();
    }
    if (wanted("gob.first_decode")) rows.push(await firstDecode());
    if (rows.length > 0 && sink === undefined) throw new Error("nothing was measured");
    return rows;
  },
};
