import type { Label } from './labels.ts';

/** How long an entry may be given. Times are those of the cache's clock, in ms. */
export interface EntryEnds {
  /** Given as it is before. */
  readonly freshUntil: number;
  /**
   * Given before, while it is loaded anew: stale-while-revalidate.
   * https://www.rfc-editor.org/rfc/rfc5861
   */
  readonly staleUntil: number;
  /** Given before, where a new one cannot be had: stale-if-error. Not before `staleUntil`. */
  readonly goneAt: number;
}

/** A value as it is kept. */
export interface Entry extends EntryEnds {
  readonly value: unknown;
  readonly labels: readonly Label[];
  /** About what it takes in memory, its key not counted. */
  readonly bytes: number;
  /** After a load that failed: no other one before. */
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

/** The three ends of an entry that is made now. */
export function lifetimeFrom(now: number, { ttlMs, staleMs, graceMs }: Lifetime): EntryEnds {
  const freshUntil = now + ttlMs;
  return {
    freshUntil,
    staleUntil: freshUntil + staleMs,
    goneAt: freshUntil + Math.max(staleMs, graceMs),
  };
}
