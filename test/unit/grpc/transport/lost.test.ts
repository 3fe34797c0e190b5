// Calls that end with their stream or connection say by their `cause` what became of it, whichever client makes them.
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import * as protobuf from "@bufbuild/protobuf";
import { Client, status } from "@grpc/grpc-js";
import { connectGrpc } from "../../../../src/grpc/connection.js";
import { FrameParser } from "../../../../src/http2/parser.js";
import { KV } from "../../../interop/gen/es/kv_pb.js";
import { listenPath } from "../../../support.js";
import { frame } from "../../http2/support.js";

const identity = (bytes: Buffer): Buffer => bytes;

const hex = (text: string): string => Buffer.from(text).toString("hex");

let sockets = 0;

/** A server that answers each request with these frames, and closes the connection if it is told to. */
async function serve(frames: Buffer, close: boolean): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    const parser = new FrameParser(
      {
        frame() {},
        data(flags) {
          if (flags & 1) socket.write(frames, () => close && socket.destroy());
        },
        payload() {},
      },
      1 << 20,
      true,
    );
    socket.write(frame(4, 0, 0));
    socket.on("data", (chunk) => parser.push(chunk));
    socket.on("error", () => {});
  });
  const address = listenPath(tmpdir(), `goplug-lost-${process.pid}-${++sockets}`);
  await new Promise<void>((resolve) => server.listen(address, resolve));
  after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return address;
}

interface Thrown extends Error {
  readonly code: number;
  readonly details: string;
  readonly cause?: Error & { readonly code: string };
}

interface Ended {
  readonly name: string;
  readonly frames: Buffer;
  readonly close: boolean;
  readonly status: number;
  readonly cause: string;
  readonly text: RegExp;
}

const ends: readonly Ended[] = [
  {
    name: "a connection that is closed behind a GOAWAY",
    frames: frame(7, 0, 0, `00000001 00000000 ${hex("max_age")}`),
    close: true,
    status: status.UNAVAILABLE,
    cause: "ERR_HTTP2_CONNECTION",
    text: /the peer closed the connection.*NO_ERROR.*max_age/,
  },
  {
    name: "a connection that is closed without a word",
    frames: Buffer.alloc(1).subarray(1),
    close: true,
    status: status.UNAVAILABLE,
    cause: "ERR_HTTP2_CONNECTION",
    text: /^the peer closed the connection$/,
  },
  {
    name: "a GOAWAY with an error",
    frames: frame(7, 0, 0, `00000001 0000000b ${hex("too_many_pings")}`),
    close: true,
    status: status.UNAVAILABLE,
    cause: "ERR_HTTP2_GOAWAY",
    text: /ENHANCE_YOUR_CALM: too_many_pings/,
  },
  {
    name: "a stream that the server resets",
    frames: frame(3, 0, 1, "00000002"),
    close: false,
    status: status.INTERNAL,
    cause: "ERR_HTTP2_RESET",
    text: /INTERNAL_ERROR/,
  },
  {
    name: "a stream that breaks the rules",
    frames: frame(0, 0, 1, "00"),
    close: false,
    status: status.INTERNAL,
    cause: "ERR_HTTP2_STREAM",
    text: /DATA before the response's header fields/,
  },
  {
    name: "a connection that breaks the rules",
    frames: frame(6, 0, 1, "0000000000000000"),
    close: false,
    status: status.UNAVAILABLE,
    cause: "ERR_HTTP2_PROTOCOL",
    text: /PROTOCOL_ERROR/,
  },
];

for (const { name, frames, close, status: code, cause, text } of ends) {
  for (const kind of ["a generated client", "protobuf-es"] as const) {
    test(`${name}: ${kind}`, async () => {
      const address = await serve(frames, close);
      const conn = await connectGrpc({ network: "unix", address }, { transport: "goplug", redial: false });
      const error = await new Promise<Thrown>((resolve) => {
        const told = (thrown: unknown): void => resolve(thrown as Thrown);
        if (kind === "protobuf-es") conn.protobuf(KV, protobuf).get({ key: "x" }).catch(told);
        else conn.client(Client).makeUnaryRequest("/a/B", identity, identity, Buffer.alloc(0), told);
      });
      conn.close();
      assert.equal(error.code, code, error.message);
      assert.equal(error.cause?.code, cause);
      assert.match(error.cause.message, text);
      assert.match(error.details, text);
    });
  }
}
