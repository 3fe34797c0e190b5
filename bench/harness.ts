import { writeFileSync } from "node:fs";

/** One line of bench/results.json. A ratio above 1 always means that goplug is better than the peer. */
export interface Row {
  name: string;
  unit: string;
  value: number;
  peer: string;
  peerValue: number;
  ratio: number;
  /** The least ratio that is wanted. Falling below it is shown, and fails nothing. */
  floor?: number;
  /** The same on a single processor, where that was measured, too. */
  oneCpu?: { value: number; peerValue: number; ratio: number };
}

/** What a suite file in this folder exports as `suite`. */
export interface Suite {
  name: string;
  /** Takes a filter on row names, so that a part can be measured alone. */
  run(wanted: (row: string) => boolean): Promise<Row[]>;
}

/** Measures a suite in this process: PATTERN and the file for its rows are the arguments. */
export async function runSuite(suite: Suite): Promise<void> {
  const [, , pattern, results] = process.argv;
  process.stderr.write(`# ${suite.name}\n`);
  const wanted = new RegExp(pattern!);
  writeFileSync(results!, JSON.stringify(await suite.run((row) => wanted.test(row))));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) throw new Error("median of nothing");
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A subject measures itself once and returns the figure. */
export type Subject = () => Promise<number>;

/**
 * Runs the subjects in turn, `rounds` times (the order turns round each time, so that a drift of the machine
 * hits all alike), and returns each one's median.
 */
export async function alternate<K extends string>(
  rounds: number,
  subjects: Record<K, Subject>,
): Promise<Record<K, number>> {
  const names = Object.keys(subjects) as K[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) figures[name].push(await subjects[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(figures[name])])) as Record<K, number>;
}

export type Better = "higher" | "lower";

export function row(
  name: string,
  unit: string,
  better: Better,
  value: number,
  peer: string,
  peerValue: number,
  floor?: number,
): Row {
  const ratio = better === "higher" ? value / peerValue : peerValue / value;
  return { name, unit, value, peer, peerValue, ratio, ...(floor !== undefined && { floor }) };
}
