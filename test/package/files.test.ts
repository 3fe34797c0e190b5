import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

/** The files that are loaded at once with one of dist's. */
function loadedWith(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(dist, file), "utf8");
  for (const [, path] of text.matchAll(/^(?:import|export) .*from ['"](\.{1,2}\/[^'"]+)['"];$/gm)) {
    loadedWith(normalize(join(dirname(file), path!)), found);
  }
  return found;
}

// A plugin's start pays for each file that it opens.
const most = {
  "index.js": 7,
  "gob/index.js": 3,
  "yamux/index.js": 3,
  "netrpc/index.js": 4,
  "plugin/capture-entry.js": 2,
};

test("what is imported is a handful of files", () => {
  for (const [entry, files] of Object.entries(most)) {
    const found = [...loadedWith(entry)];
    assert.ok(found.length > 1 && found.length <= files, `${entry}: ${found}`);
  }
});

test("a part that is used alone does not load the others", () => {
  for (const [entry, others] of Object.entries({
    "gob/index.js": /yamux|netrpc|goplug|grpc/,
    "yamux/index.js": /gob|netrpc|goplug|grpc/,
    "netrpc/index.js": /yamux|goplug|grpc/,
    "plugin/capture-entry.js": /gob|yamux|netrpc|goplug|grpc/,
    "index.js": /chunks\/grpc/,
  })) {
    const rest = [...loadedWith(entry)].filter((file) => file !== entry);
    assert.deepEqual(
      rest.filter((file) => others.test(file)),
      [],
      entry,
    );
  }
});

test("what a gRPC plugin loads does not load what net/rpc is spoken with, nor the other way round", () => {
  const chunk = (name: string): string => {
    // The hash may hold a hyphen, and other names begin with this one: its length tells them apart.
    const files = readdirSync(join(dist, "chunks")).filter(
      (file) => file.startsWith(`${name}-`) && file.length === `${name}-XXXXXXXX.js`.length,
    );
    assert.equal(files.length, 1, `one file of ${name}: ${files}`);
    return join("chunks", files[0]!);
  };
  for (const [name, others] of Object.entries({
    serve: /gob|yamux|netrpc|net-rpc|grpc|^index/,
    grpc: /gob|yamux|netrpc|net-rpc|^index/,
    "net-rpc-plugin": /grpc|^index/,
  })) {
    const rest = [...loadedWith(chunk(name))].slice(1);
    assert.ok(rest.length > 0, name);
    assert.deepEqual(
      rest.filter((file) => others.test(file)),
      [],
      name,
    );
  }
});

test("the code is ASCII: V8 keeps a file with any other letter in twice the memory", () => {
  for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".js")) continue;
    assert.ok(/^[\x00-\x7f]*$/.test(readFileSync(join(dist, file), "utf8")), file);
  }
});
