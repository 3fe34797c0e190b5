// The snippets of docs/yamux.md run, and print what their comments say.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const guide = readFileSync(new URL("../../../docs/yamux.md", import.meta.url), "utf8");
const snippets = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);
const library = new URL("../../../src/yamux/index.ts", import.meta.url).href;
const prelude = `
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Session } from "goplug/yamux";
const listener = createServer().listen(0, "127.0.0.1");
await once(listener, "listening");
const socket = connect(listener.address().port, "127.0.0.1");
const [accepted] = await once(listener, "connection");
listener.close();
const client = Session.client(socket);
const server = Session.server(accepted);
`;

test("the guide has snippets", () => assert.equal(snippets.length, 3));

for (const [index, snippet] of snippets.entries()) {
  test(`snippet ${index + 1} of docs/yamux.md`, { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "goplug-docs-"));
    try {
      const file = join(folder, "snippet.mts");
      const whole = snippet.startsWith("import") ? snippet : prelude + snippet;
      writeFileSync(file, whole.replaceAll('"goplug/yamux"', JSON.stringify(library)));
      const { stdout } = await run(process.execPath, ["--import", import.meta.resolve("tsx"), file]);
      const promised = [...snippet.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map((match) => match[1]);
      assert.equal(promised.length, 1);
      assert.deepEqual(stdout.trim().split("\n"), promised);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
