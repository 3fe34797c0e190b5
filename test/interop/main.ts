// The interop matrix: a line a case, a table of host x plugin x protocol, and a closing count.
// Usage: tsx test/interop/main.ts [PATTERN | --quick]: only the cases whose name matches the regular expression, or that of quick.ts.
import { readdirSync } from "node:fs";
import { missingOverGrpcJs } from "./both-transports.js";
import { binary, type Case, missingBinaries } from "./case.js";
import { TemporaryFolder } from "./leftovers.js";
import { whyNotHere } from "./not-on-windows.js";
import { quick } from "./quick.js";

type Verdict = "PASS" | "FAIL" | "SKIP";

const [given = ""] = process.argv.slice(2);
const pattern = given === "--quick" ? quick : new RegExp(given);
// Not all peers are built for Windows.
const strict = process.env.CI === "true" && process.platform !== "win32";
const here = new URL(".", import.meta.url);
const temporary = new TemporaryFolder();
process.on("exit", () => temporary[Symbol.dispose]());
const loose: string[] = [];
process.on("unhandledRejection", (reason) => loose.push(`unhandled rejection: ${describe(reason)}`));

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

async function within(limitMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`not finished after ${limitMs} ms`);
      abort.abort(error);
      reject(error);
    }, limitMs);
  });
  try {
    await Promise.race([work(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function judge(test: Case): Promise<[Verdict, string]> {
  const why = whyNotHere(test.name);
  if (why !== undefined) return ["SKIP", why];
  const missing = missingBinaries(test.needs);
  if (missing.length > 0) return [strict ? "FAIL" : "SKIP", `needs ${missing.join(", ")}`];
  const problems: string[] = [];
  try {
    await within(test.timeoutMs ?? 60_000, (signal) => test.run({ signal, bin: binary }));
  } catch (error) {
    problems.push(describe(error));
  }
  const left = await temporary.leftovers();
  if (left.length > 0) problems.push(`left among the temporary files: ${left.join(", ")}`);
  problems.push(...loose.splice(0));
  return problems.length > 0 ? ["FAIL", problems.join("\n")] : ["PASS", ""];
}

const cases: Case[] = [];
for (const file of readdirSync(here)
  .filter((name) => name.endsWith(".cases.ts"))
  .sort()) {
  const module = (await import(new URL(file, here).href)) as { cases: Case[] };
  cases.push(...module.cases);
}
const names = new Set<string>();
for (const { name } of cases) {
  if (names.has(name)) throw new Error(`two cases are named ${name}`);
  names.add(name);
}
const missing = missingOverGrpcJs(names);
if (missing.length > 0) throw new Error(`not over grpc-js's transport, too: ${missing.join(", ")}`);

const counts: Record<Verdict, number> = { PASS: 0, FAIL: 0, SKIP: 0 };
const table = new Map<string, Record<Verdict, number>>();
for (const test of cases.filter(({ name }) => pattern.test(name))) {
  const started = performance.now();
  const [verdict, detail] = await judge(test);
  const took = `${Math.round(performance.now() - started)} ms`;
  console.log(verdict === "PASS" ? `PASS ${test.name} (${took})` : `${verdict} ${test.name}: ${detail}`);
  counts[verdict]++;
  const [pair, protocol] = test.name.split(" ");
  const key = `${pair} ${protocol}`;
  const line = table.get(key) ?? { PASS: 0, FAIL: 0, SKIP: 0 };
  line[verdict]++;
  table.set(key, line);
}

const width = Math.max(20, ...[...table.keys()].map((key) => key.length));
console.log(`\n${"host->plugin protocol".padEnd(width)}  passed  failed  skipped`);
for (const [key, line] of table) {
  const figures = [line.PASS, line.FAIL, line.SKIP].map((n) => String(n).padStart(6));
  console.log(`${key.padEnd(width)}  ${figures.join("  ")}`);
}
console.log(`\n${counts.PASS} passed, ${counts.FAIL} failed, ${counts.SKIP} skipped`);
process.exit(counts.FAIL > 0 || counts.PASS === 0 ? 1 : 0);
