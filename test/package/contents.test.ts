import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The files that `npm publish` would publish, by their paths in the package. */
function packed(): Set<string> {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const listing = JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8" }));
  // A list of packages, or since npm 12 an object of them by name.
  const [{ files }] = Object.values(listing) as [{ files: { path: string }[] }];
  return new Set(files.map(({ path }) => path));
}

test("where the documentation is installed with the package, its links lead to files that are, too", () => {
  const files = packed();
  const there = (path: string) => files.has(path) || [...files].some((file) => file.startsWith(`${path}/`));
  const pages = [...files].filter((file) => /^(?:README|docs\/[^/]+)\b.*\.md$/.test(file));
  assert(pages.length > 10);
  const dead = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), "utf8").replace(/^```.*?^```$/gms, "");
    return [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)]
      .map((match) => (match[1] ?? match[2])!.replace(/#.*/, ""))
      .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
      .filter((target) => !there(normalize(join(dirname(page), target)).replace(/\/$/, "")))
      .map((target) => `${page}: ${target}`);
  });
  assert.deepEqual(dead, []);
});
