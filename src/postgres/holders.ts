/** The names under which the engine itself holds connections, for all callers together. */
export const ENGINE_HOLDERS = {
  sharedReads: 'shared reads',
  groupedWrites: 'grouped writes',
} as const;
