// The links of README and docs lead somewhere: to files that there are, and headings in them.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const documents = [
  "",
  "docs",
  "go-fixtures",
  ...readdirSync(join(root, "examples")).map((name) => `examples/${name}`),
]
  .filter((folder) => !/\.\w+$/.test(folder))
  .flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  );

/** The anchors that GitHub makes of a page's headings. */
function anchors(path: string): Set<string> {
  const headings = readFileSync(join(root, path), "utf8").matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map((heading) =>
      heading[1]!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

test("every link to a file of the project leads to one", () => {
  assert(documents.length > 10);
  const dead = documents.flatMap((document) => {
    const text = readFileSync(join(root, document), "utf8").replace(/^```.*?^```$/gms, "");
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map(
      (match) => (match[1] ?? match[2])!,
    );
    return targets
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file = "", anchor] = target.split("#");
        const path = file === "" ? document : normalize(join(dirname(document), file));
        if (!existsSync(join(root, path))) return true;
        return anchor !== undefined && !anchors(path).has(anchor);
      })
      .map((target) => `${document}: ${target}`);
  });
  assert.deepEqual(dead, []);
});

test("every test that a page names exists", () => {
  const named = documents.flatMap((document) =>
    [...readFileSync(join(root, document), "utf8").matchAll(/\btest\/[\w./-]*\w/g)].map(([path]) => ({
      document,
      path,
    })),
  );
  assert(named.length > 5);
  assert.deepEqual(
    named.filter(({ path }) => !existsSync(join(root, path))),
    [],
  );
});
