// Runs every suite of this folder (files named *.bench.ts), prints a table and writes bench/results.json.
// Usage: tsx bench/main.ts [PATTERN]: only rows whose name matches the regular expression.
import { readdirSync, writeFileSync } from "node:fs";
import type { Row, Suite } from "./harness.js";

const pattern = new RegExp(process.argv[2] ?? "");
const here = new URL(".", import.meta.url);
const rows: Row[] = [];
for (const file of readdirSync(here)
  .filter((name) => name.endsWith(".bench.ts"))
  .sort()) {
  const { suite } = (await import(new URL(file, here).href)) as { suite: Suite };
  process.stderr.write(`# ${suite.name}\n`);
  rows.push(...(await suite.run((name) => pattern.test(name))));
}

const show = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
const table = rows.map((r) => [r.name, show(r.value), r.unit, r.peer, show(r.peerValue), r.ratio.toFixed(2)]);
table.unshift(["row", "goplug", "unit", "peer", "peer's", "ratio"]);
const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
for (const line of table)
  console.log(
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );

writeFileSync(new URL("results.json", here), `${JSON.stringify(rows, null, 2)}\n`);
