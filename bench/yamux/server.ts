// A server that does on each stream what its first byte asks for: what go-fixtures/yamuxpeer does, on the direct path.
// Usage: server.ts PATH
import { createServer } from "node:net";
import type { Channel, ChannelHandler } from "../../src/yamux/index.js";

// The compiled library, as users run it.
const { Session } = (await import(
  new URL("../../dist/yamux/index.js", import.meta.url).href
)) as typeof import("../../src/yamux/index.js");

const block = Buffer.alloc(65_536, 1);

class Work implements ChannelHandler {
  readonly #channel: Channel;
  #what = 0;
  #head = Buffer.alloc(0);
  #count = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  onData(chunk: Buffer): void {
    if (this.#what === 0x45) {
      // The chunk is valid during the call only.
      if (!this.#channel.write(Buffer.from(chunk))) this.#channel.pause();
    } else if (this.#what === 0x55) {
      this.#count += chunk.length;
    } else if (this.#what === 0) {
      this.#what = chunk[0]!;
      if (chunk.length > 1) this.onData(chunk.subarray(1));
    } else if (this.#what === 0x44) {
      this.#head = Buffer.concat([this.#head, chunk]);
      if (this.#head.length < 8) return;
      this.#count = Number(this.#head.readBigUInt64BE());
      this.onDrain();
    } else {
      this.#channel.destroy();
    }
  }

  onDrain(): void {
    if (this.#what === 0x45) this.#channel.resume();
    if (this.#what !== 0x44) return;
    while (this.#count > 0) {
      const part = Math.min(this.#count, block.length);
      this.#count -= part;
      if (!this.#channel.write(part === block.length ? block : block.subarray(0, part))) return;
    }
    this.#channel.end();
  }

  onEnd(): void {
    if (this.#what === 0x55) {
      const reply = Buffer.alloc(8);
      reply.writeBigUInt64BE(BigInt(this.#count));
      this.#channel.write(reply);
    }
    if (this.#what !== 0x44 || this.#count === 0) this.#channel.end();
  }

  onClose(): void {}
}

createServer((socket) => {
  const session = Session.server(socket, { enableKeepAlive: false });
  void (async () => {
    for (;;) {
      const channel = await session.acceptChannel();
      channel.attach(new Work(channel));
    }
  })().catch(() => {});
}).listen(process.argv[2], () => console.log("LISTENING"));
// Nobody left who could use this.
process.stdin.resume().on("end", () => process.exit(0));
