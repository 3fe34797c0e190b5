import assert from "node:assert/strict";
import { connect, Socket } from "node:net";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { readInPlace } from "../../src/in-place.js";
import { openSocket } from "../../src/socket/open.js";
import { readWithPauses } from "../support.js";

/** A server's socket, as its `connection` event has it, given at once to `use`; and the client's. */
async function accepted<T>(
  use: (socket: Socket) => T,
): Promise<{ used: T; client: Socket; end: () => void }> {
  const server = await openSocket({ network: "tcp" });
  const [host, port] = server.address.split(":");
  const client = connect(Number(port), host!);
  client.on("error", () => {});
  let socket!: Socket;
  const { used } = await new Promise<{ used: T }>((resolve) =>
    server.server.once("connection", (given) => {
      socket = given;
      resolve({ used: use(given) });
    }),
  );
  const end = (): void => {
    client.destroy();
    socket.destroy();
    server.close();
  };
  return { used, client, end };
}

describe("readInPlace", () => {
  test("everything comes, in order, in the same memory, and the end behind it", async () => {
    const body = Buffer.alloc(3_000_000, "plugins and hosts");
    const memory = new Set<ArrayBufferLike>();
    const { used, client, end } = await accepted((socket) => {
      const read = readInPlace(socket)!;
      const got: Buffer[] = [];
      read((chunk) => {
        memory.add(chunk.buffer);
        got.push(Buffer.from(chunk));
      });
      return new Promise<Buffer>((resolve) => socket.once("end", () => resolve(Buffer.concat(got))));
    });
    client.end(body);
    assert.ok((await used).equals(body));
    assert.equal(memory.size, 1);
    end();
  });

  test("is left alone on a Node that nobody has tried it on", async () => {
    const known = process.versions;
    Object.defineProperty(process, "versions", { value: { ...known, node: "99.0.0" } });
    try {
      const { used, end } = await accepted((socket) => readInPlace(socket));
      assert.equal(used, undefined);
      end();
    } finally {
      Object.defineProperty(process, "versions", { value: known });
    }
  });

  test("a pause stops the bytes, and nothing is lost by it", async () => {
    const body = Buffer.alloc(2_000_000, "goplug");
    const { used, client, end } = await accepted((socket) => readWithPauses(socket, readInPlace(socket)!));
    client.end(body);
    assert.ok((await used).equals(body));
    end();
  });

  test("two connections do not get each other's bytes", async () => {
    const start = (): ReturnType<typeof accepted<Promise<string>>> =>
      accepted((socket) => {
        let text = "";
        readInPlace(socket)!((chunk) => {
          text += chunk.toString();
        });
        return new Promise<string>((resolve) => socket.once("end", () => resolve(text)));
      });
    const both = await Promise.all([start(), start()]);
    for (let i = 0; i < 100; i++) for (const [n, { client }] of both.entries()) client.write(`${n}`);
    for (const { client } of both) client.end();
    assert.deepEqual(await Promise.all(both.map(({ used }) => used)), ["0".repeat(100), "1".repeat(100)]);
    for (const { end } of both) end();
  });

  test("a connection that is cut closes the socket", async () => {
    const { used, client, end } = await accepted((socket) => {
      socket.on("error", () => {});
      readInPlace(socket)!(() => {});
      return new Promise<void>((resolve) => socket.once("close", () => resolve()));
    });
    client.resetAndDestroy();
    await used;
    end();
  });

  test("a socket that somebody reads already goes on as it was", async () => {
    const { used, client, end } = await accepted((socket) => {
      const text = new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(String(chunk))));
      assert.equal(readInPlace(socket), undefined);
      return text;
    });
    client.write("as ever");
    assert.equal(await used, "as ever");
    end();
  });

  test("what is no such socket is left as it was", async () => {
    assert.equal(readInPlace(new PassThrough()), undefined);
    const other = new Socket();
    assert.equal(readInPlace(other), undefined);
    other.destroy();
    // As in a runtime that makes its sockets in another way.
    const { used, client, end } = await accepted((socket) => {
      const handle = (socket as unknown as { _handle: object })._handle;
      Object.defineProperty(handle, "useUserBuffer", {
        value: () => {
          throw new Error("not implemented");
        },
      });
      assert.equal(readInPlace(socket), undefined);
      return new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(String(chunk))));
    });
    client.write("as ever");
    assert.equal(await used, "as ever");
    end();
  });
});
