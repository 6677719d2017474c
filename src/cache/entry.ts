import type { Label } from './labels.ts';

/** How long an entry may be used. Times are those of the cache's clock, in ms. */
export interface EntryEnds {
  /** Until then it is given as it is. */
  readonly freshUntil: number;
  /**
   * Until then it may be given while it is loaded again: stale-while-revalidate.
   * https://www.rfc-editor.org/rfc/rfc5861
   */
  readonly staleUntil: number;
  /** Until then it may be given if loading a new one fails: stale-if-error. Not before `staleUntil`. */
  readonly goneAt: number;
}

/** A value as it is kept. */
export interface Entry extends EntryEnds {
  readonly value: unknown;
  readonly labels: readonly Label[];
  /** About what it takes in memory, its key not counted. */
  readonly bytes: number;
  /** After a failed load: no other load before this time. */
  retryAt: number;
}

export type Freshness = 'fresh' | 'stale' | 'grace' | 'gone';

export function freshnessOf(entry: Entry, now: number): Freshness {
  if (now < entry.freshUntil) return 'fresh';
  if (now < entry.staleUntil) return 'stale';
  return now < entry.goneAt ? 'grace' : 'gone';
}

interface Lifetime {
  readonly ttlMs: number;
  readonly staleMs: number;
  readonly graceMs: number;
}

/** The three times for an entry that is made now. */
export function lifetimeFrom(now: number, { ttlMs, staleMs, graceMs }: Lifetime): EntryEnds {
  const freshUntil = now + ttlMs;
  return {
    freshUntil,
    staleUntil: freshUntil + staleMs,
    goneAt: freshUntil + Math.max(staleMs, graceMs),
  };
}
