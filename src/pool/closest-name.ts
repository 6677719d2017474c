/** Of `names`, the one that `word` was most likely meant to be: at most a third of it has to be changed. */
export function closestName(word: string, names: readonly string[]): string | undefined {
  const wanted = word.slice(0, 100).toLowerCase();
  let closest: string | undefined;
  let fewest = Math.ceil(wanted.length / 3) + 1;
  for (const name of names) {
    const changes = editDistance(wanted, name.toLowerCase());
    if (changes < fewest) [closest, fewest] = [name, changes];
  }
  return closest;
}

/** Letters to add, drop or replace to make `a` into `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}
