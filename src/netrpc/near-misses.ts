/**
 * The known names that a wrong one may have been meant to be: those that differ in the case of letters alone, else those
 * that are a letter or two away, if the name is long enough for that to be a slip (`Get` for `Set` is none).
 */
export function nearMisses(name: string, known: Iterable<string>): string[] {
  const names = [...known].filter((other) => other !== name);
  const sameLetters = names.filter((other) => other.toLowerCase() === name.toLowerCase());
  if (sameLetters.length > 0) return sameLetters;
  const own = name.slice(name.lastIndexOf(".") + 1);
  const slips = own.length < 5 ? 0 : own.length < 8 ? 1 : 2;
  return names.filter(
    (other) => Math.abs(other.length - name.length) <= slips && distance(name, other) <= slips,
  );
}

/** The known name that a wrong one is nearest to, if at least half of its letters are right. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Math.floor(name.length / 2) + 1;
  for (const other of known) {
    const letters = distance(name.toLowerCase(), other.toLowerCase());
    if (letters < fewest) [best, fewest] = [other, letters];
  }
  return best;
}

/** Letters that must be added, left out or changed to make one text of another (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = row[j]! + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(change, row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
