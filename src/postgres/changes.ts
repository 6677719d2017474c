/** The tables that a write changes, or `anything` where they cannot be told. */
export type Changes = readonly string[] | 'anything';

export const NO_CHANGES: Changes = Object.freeze([]);

export function joinChanges(parts: readonly Changes[]): Changes {
  if (parts.includes('anything')) return 'anything';
  return [...new Set((parts as readonly (readonly string[])[]).flat())];
}
