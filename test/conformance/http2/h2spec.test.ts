// The server role against h2spec (github.com/summerwind/h2spec), strict cases included.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { duplexConnection, Session } from "../../../src/http2/index.js";
import { binary } from "../../interop/case.js";
import { needs } from "../../support.js";

const exceptions = readFileSync(new URL("h2spec-exceptions.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

test("h2spec finds nothing but what is expected", { ...needs("h2spec"), timeout: 300_000 }, async () => {
  const server = createServer((socket) => {
    Session.server(duplexConnection(socket), (stream) => {
      const answer = (): void => {
        stream.respond([":status", "200", "content-type", "text/plain"], false);
        stream.write(Buffer.from("hello"));
        stream.end();
      };
      return {
        onHeaders: (_headers, end) => end && answer(),
        onData: (chunk) => stream.consumed(chunk.length),
        onEnd: answer,
        onClose() {},
      };
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const args = ["-h", "127.0.0.1", "-p", String(port), "--strict", "-o", "5"];
    const { stdout } = await promisify(execFile)(binary("h2spec"), args).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
    );
    const failed = [...stdout.matchAll(/^\s*× (.*)$/gm)].map((match) => match[1]!);
    assert.deepEqual([...new Set(failed)].sort(), [...exceptions].sort(), stdout.slice(-3000));
    const summary = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(stdout);
    assert.ok(Number(summary?.[2]) >= 145 - exceptions.length, stdout.slice(-300));
  } finally {
    server.close();
  }
});
