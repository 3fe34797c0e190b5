// Drives a server and prints how much of one thing went through per second: bytes, round trips, or streams.
// Usage: driver.ts IMPLEMENTATION KIND N PATH
import { goplug, goplugStreams } from "./goplug.js";
import { libp2p } from "./libp2p.js";
import type { Open } from "./open.js";
import { yamuxJs } from "./yamux-js.js";

const [, , implementation, kind, amount, path] = process.argv;
const n = Number(amount);
const implementations: Record<string, (path: string) => Promise<Open>> = {
  goplug,
  streams: goplugStreams,
  libp2p,
  "yamux-js": yamuxJs,
};
const open = await implementations[implementation!]!(path!);

const block = Buffer.alloc(65_536, 1);
const nothing = { data() {}, drain() {}, end() {} };

function up(size: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = size;
    const reply: Buffer[] = [];
    const push = (): void => {
      while (left > 0) {
        const part = Math.min(left, block.length);
        left -= part;
        if (!link.write(part === block.length ? block : block.subarray(0, part))) return;
      }
      if (left === 0) {
        left = -1;
        link.end();
      }
    };
    const link = open({
      data: (chunk) => reply.push(Buffer.from(chunk)),
      drain: push,
      end() {
        const count = Number(Buffer.concat(reply).readBigUInt64BE());
        if (count === size) resolve();
        else reject(new Error(`the server counted ${count}`));
      },
    });
    link.write(Buffer.from("U"));
    push();
  });
}

function down(size: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let count = 0;
    const link = open({
      ...nothing,
      data(chunk) {
        count += chunk.length;
      },
      end() {
        link.end();
        if (count === size) resolve();
        else reject(new Error(`${count} bytes came`));
      },
    });
    const ask = Buffer.alloc(9, "D");
    ask.writeBigUInt64BE(BigInt(size), 1);
    link.write(ask);
  });
}

function echo(rounds: number): Promise<void> {
  return new Promise((resolve) => {
    let left = rounds;
    let got = 0;
    const message = Buffer.alloc(64, 2);
    const link = open({
      ...nothing,
      data(chunk) {
        got += chunk.length;
        if (got < 64) return;
        got = 0;
        if (--left > 0) link.write(message);
        else {
          link.end();
          resolve();
        }
      },
    });
    link.write(Buffer.concat([Buffer.from("E"), message]));
  });
}

async function openClose(rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await new Promise<void>((resolve) => {
      open({ ...nothing, end: resolve }).end();
    });
  }
}

const lanes = (count: number, work: () => Promise<void>): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, work));

const kinds: Record<string, (n: number) => Promise<unknown>> = {
  up,
  down,
  rtt: echo,
  messages: (count) => lanes(100, () => echo(count / 100)),
  open_close: openClose,
  open_close32: (count) => lanes(32, () => openClose(count / 32)),
};

// As in Go's driver: ten times the bulk beforehand, by when V8 has compiled all of its way; a tenth of everything else. Ten streams,
// since code that was compiled while there had been one only is thrown away at the second.
const run = kinds[kind!]!;
if (kind === "up" || kind === "down") for (let i = 0; i < 10; i++) await run(n);
else await run(n / 10);
const started = performance.now();
await run(n);
console.log((n / (performance.now() - started)) * 1000);
process.exit(0);
