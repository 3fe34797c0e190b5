// What both tables of hostile frames have in common: an entry, and the comparison with a peer of Go's.
import assert from "node:assert/strict";

/** What came of the frames; each table has its own words for it. */
export type Verdict = string;

export interface Hostile {
  readonly name: string;
  readonly frames: Buffer;
  readonly ours: Verdict;
  /** Go's, where it is another. */
  readonly go?: Verdict;
  /** Why they are not the same. */
  readonly because?: string;
}

/**
 * Compares a peer's verdicts with those that are expected of it, all at once, and sees that each difference has a reason.
 *
 * @param verdictOn gets what is expected, so as to wait for it longer than for what is not
 * @param expected the peer's verdict; default: the table's
 */
export async function assertVerdicts(
  table: readonly Hostile[],
  verdictOn: (frames: Buffer, expected: Verdict) => Promise<Verdict>,
  expected: (entry: Hostile) => Verdict = ({ ours, go = ours }) => go,
): Promise<void> {
  const differences: Record<"expected" | "found", string[]> = { expected: [], found: [] };
  for (const entry of table) {
    const { name, frames, ours, go = ours, because } = entry;
    const verdict = expected(entry);
    differences.expected.push(`${name}: ${verdict}`);
    differences.found.push(`${name}: ${await verdictOn(frames, verdict)}`);
    assert.equal(because === undefined, go === ours, `${name}: a reason`);
  }
  assert.deepEqual(differences.found, differences.expected);
}
