// Fills the tables of docs/benchmarks.md with the figures of bench/results.json: a table's columns are found by their
// heads, a row by the name in its first column. Says which rows either side lacks.
import { readFileSync, writeFileSync } from "node:fs";
import type { Row } from "../bench/harness.js";

const page = new URL("../docs/benchmarks.md", import.meta.url);
const results = new URL("../bench/results.json", import.meta.url);
const rows = new Map(
  (JSON.parse(readFileSync(results, "utf8")) as Row[]).map((row): [string, Row] => [row.name, row]),
);
const unused = new Set(rows.keys());

const show = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);

/** What belongs under a head; undefined leaves the cell as it is. */
const columns: Record<string, (row: Row) => string | undefined> = {
  goplug: (row) => show(row.value),
  peer: (row) => row.peer,
  unit: (row) => row.unit,
  "peer's": (row) => show(row.peerValue),
  ratio: (row) => row.ratio.toFixed(2),
  floor: ({ floor, ratio }) =>
    floor === undefined ? undefined : `${floor.toFixed(2)}${ratio < floor ? " (below)" : ""}`,
  "one CPU": (row) => row.oneCpu?.ratio.toFixed(2),
};

const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());

function fill(table: string[]): string[] {
  const [heads, rule, ...body] = table.map(cellsOf);
  if (heads![0] !== "row") return table;
  const filled = body.map((cells) => {
    const row = rows.get(cells[0]!);
    if (row === undefined) {
      console.log(`not measured: ${cells[0]}`);
      return cells;
    }
    unused.delete(row.name);
    return cells.map((cell, index) => columns[heads![index]!]?.(row) ?? cell);
  });
  const widths = heads!.map((head, index) =>
    Math.max(head.length, ...filled.map((cells) => cells[index]!.length)),
  );
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(" | ")} |`;
  return [line(heads!), line(rule!.map((_, index) => "-".repeat(widths[index]!))), ...filled.map(line)];
}

const out: string[] = [];
let table: string[] = [];
for (const line of readFileSync(page, "utf8").split("\n")) {
  if (line.startsWith("|")) {
    table.push(line);
    continue;
  }
  if (table.length > 0) out.push(...fill(table));
  table = [];
  out.push(line);
}
writeFileSync(page, out.join("\n"));
for (const name of unused) console.log(`not in the page: ${name}`);
