// ARCHITECTURE.md says who may import whom; this holds src against it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "src");

/** The rows of the table: a folder, and those that it may import. */
const allowed = new Map(
  [...readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\| `(\w+)` +\|(.*)\|$/gm)].map((row) => [
    row[1]!,
    new Set([...row[2]!.matchAll(/`(\w+)`/g)].map((name) => name[1]!)),
  ]),
);

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);
const folderOf = (path: string): string | undefined => (path.includes("/") ? path.split("/")[0] : undefined);

function imports(file: string): string[] {
  const text = readFileSync(join(source, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1]!)),
  );
}

test("every folder of src is in the table, and every row is a folder", () => {
  const folders = new Set(files.map(folderOf).filter((folder) => folder !== undefined));
  assert.deepEqual([...allowed.keys()].sort(), [...folders].sort());
});

test("no file imports what its folder may not", () => {
  const found = files.flatMap((file) =>
    imports(file)
      .filter((target) => {
        const [from, to] = [folderOf(file), folderOf(target)];
        if (from === undefined) return file !== "index.ts" && to !== undefined;
        return to !== undefined && to !== from && allowed.get(from)?.has(to) !== true;
      })
      .map((target) => `${file} imports ${target}`),
  );
  assert.deepEqual(found, []);
});

// Naming anything of it makes Node read all of it, process.stdin among it: a plugin's stdin, which it shares with its host,
// would no longer block, and the host's next read would fail.
test("no file imports node:process, which opens the standard streams", () => {
  const found = files.filter((file) =>
    /from "(node:)?process"/.test(readFileSync(join(source, file), "utf8")),
  );
  assert.deepEqual(found, []);
});
