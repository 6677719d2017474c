/** A name as both engines take it, whatever it holds. */
export function quoteId(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteIds(names: readonly string[]): string {
  return names.map(quoteId).join(', ');
}
