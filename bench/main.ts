// Runs every suite of this folder (files named *.bench.ts), prints a table and writes bench/results.json.
// Usage: tsx bench/main.ts [PATTERN] [--one-cpu]: only rows whose name matches the regular expression; with --one-cpu
// everything is measured a second time on a single processor, which goplug and its peer share, and shown beside.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { compileLines } from "./compile.js";
import type { Row } from "./harness.js";

const { values: options, positionals } = parseArgs({
  options: { "one-cpu": { type: "boolean" } },
  allowPositionals: true,
});
const pattern = new RegExp(positionals[0] ?? "");
const here = new URL(".", import.meta.url);

/** Each suite in a process of its own: what one has loaded and left in memory must not slow down the next. */
async function measure(prefix: readonly string[] = []): Promise<Row[]> {
  const files = readdirSync(here).filter((name) => name.endsWith(".bench.ts"));
  const rows: Row[] = [];
  for (const file of files.sort()) rows.push(...(await inProcess(prefix, file)));
  return rows;
}

async function inProcess(prefix: readonly string[], file: string): Promise<Row[]> {
  const lines = `import { runSuite } from "./harness.js"; import { suite } from "./${file}"; await runSuite(suite);`;
  const program = await compileLines(lines, basename(file, ".ts"));
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const results = join(folder, "results.json");
    const [command, ...args] = [...prefix, process.execPath, program, pattern.source, results];
    const { status, error } = spawnSync(command!, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (error !== undefined || status !== 0) throw new Error(`${file} failed (${status})`, { cause: error });
    return JSON.parse(readFileSync(results, "utf8")) as Row[];
  } finally {
    for (const made of [folder, program]) rmSync(made, { recursive: true });
  }
}

const show = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);

function floorOf({ ratio, floor }: Row): string {
  if (floor === undefined) return "";
  return `${floor.toFixed(2)}${ratio < floor ? " (below)" : ""}`;
}

function print(rows: readonly Row[]): void {
  const figures = ({ value, peerValue, ratio }: Pick<Row, "value" | "peerValue" | "ratio">): string[] => [
    show(value),
    show(peerValue),
    ratio.toFixed(2),
  ];
  const both = rows.some((row) => row.oneCpu !== undefined);
  const table = rows.map((row) => [
    ...[row.name, row.unit, row.peer, ...figures(row), floorOf(row)],
    ...(row.oneCpu === undefined ? [] : figures(row.oneCpu)),
  ]);
  const head = ["row", "unit", "peer", "goplug", "peer's", "ratio", "floor"];
  table.unshift(both ? [...head, "one cpu", "peer's", "ratio"] : head);
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => (line[column] ?? "").length)));
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    );
}

const rows = await measure();
if (options["one-cpu"] === true) {
  process.stderr.write("# on one processor\n");
  // What these start runs there, too.
  const alone = await measure(["taskset", "-c", "0"]);
  const found = new Map(alone.map((row) => [`${row.name} ${row.peer}`, row]));
  for (const row of rows) {
    const { value, peerValue, ratio } = found.get(`${row.name} ${row.peer}`) ?? {};
    if (ratio !== undefined) row.oneCpu = { value: value!, peerValue: peerValue!, ratio };
  }
}
print(rows);
writeFileSync(new URL("results.json", here), `${JSON.stringify(rows, null, 2)}\n`);
