/**
 * The candidate that somebody who wrote `word` most likely meant, if any: a slip of a few letters, another
 * case or separator (`poolSize`, `pool_size`), or a beginning (`acquireTimeout` for `acquireTimeoutMs`).
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word);
  const slips = Math.max(1, Math.floor(wanted.length / 4));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = distanceTo(wanted, plain(candidate), slips);
    if (distance < slips + 1 && (best === undefined || distance < best.distance))
      best = { candidate, distance };
  }
  return best?.candidate;
}

/** What to say to somebody who gave an option that does not exist. */
export function noSuchOption(key: string, known: Iterable<string>): string {
  const meant = suggest(key, known);
  return `There is no such option.${meant === undefined ? '' : ` Did you mean "${meant}"?`}`;
}

function plain(word: string): string {
  return word
    .slice(0, 100)
    .toLowerCase()
    .replaceAll(/[_\-.]/g, '');
}

/** A beginning counts slightly worse than the most slips allowed: any other candidate wins over it. */
function distanceTo(wanted: string, candidate: string, slips: number): number {
  const isBeginning = wanted.length >= 4 && candidate.startsWith(wanted);
  return Math.min(editDistance(wanted, candidate), isBeginning ? slips + 0.5 : Infinity);
}

/**
 * Letters to add, drop, replace or swap with their neighbour to make `a` into `b` (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = last[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(replaced, last[column]! + 1, current[column - 1]! + 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, beforeLast[column - 2]! + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
