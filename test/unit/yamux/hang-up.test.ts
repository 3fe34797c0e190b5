import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { surviveHangUp } from "../../../src/yamux/hang-up.js";

type Done = (error?: Error | null) => void;

/** Its _writev goes through _write, as that of Bun's sockets. */
class JoiningSocket extends Socket {
  readonly written: string[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.written.push(chunk.toString());
    setImmediate(done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "utf8", done);
  }
}

test("writes in one piece and in several go on where a socket's writev goes through its write", async () => {
  const socket = new JoiningSocket();
  surviveHangUp(socket, () => assert.fail("nobody has hung up"));
  const write = (text: string) => new Promise((resolve) => socket.write(Buffer.from(text), resolve));
  socket.cork();
  const both = [write("a"), write("b")];
  socket.uncork();
  const later = write("c");
  await Promise.all([...both, later]);
  assert.deepEqual(socket.written, ["ab", "c"]);
  socket.destroy();
});
