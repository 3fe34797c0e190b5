import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// docs/errors.md lists every code that goplug's errors have, and no other, each with its class.

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/errors.md"), "utf8");
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !/(?:^|\/)(?:gen|cli)\//.test(name))
  .map((name) => readFileSync(join(root, "src", name), "utf8"))
  .join("\n");

/** Node's own codes, which goplug reads. */
const foreign = new Set([
  "ERR_BUFFER_TOO_LARGE",
  "ERR_MODULE_NOT_FOUND",
  "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
  "ERR_TLS_CERT_ALTNAME_FORMAT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_TLS_HANDSHAKE_TIMEOUT",
]);

function codesOf(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1]!))].sort();
}

test("every code of the source is on the page, and the other way round", () => {
  const ours = codesOf(sources, /\b(ERR_[A-Z0-9]+(?:_[A-Z0-9]+)*)\b/g).filter((code) => !foreign.has(code));
  assert(ours.length > 80, `found only ${ours.length}`);
  assert.deepEqual(codesOf(page, /`(ERR_[A-Z0-9_]+)`/g), ours);
});

test("every row of the page has all its cells, and names classes that exist", () => {
  for (const line of page.split("\n").filter((row) => row.startsWith("| `ERR_"))) {
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    for (const cell of cells) assert.notEqual(cell, "", line);
    const name = /^`(\w+Error)`$/.exec(cells[1]!)?.[1];
    if (name !== undefined) assert.match(sources, new RegExp(`export class ${name} extends `), line);
  }
});
