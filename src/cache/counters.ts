/** What a cache has done since it was made. */
export interface CacheCounters {
  /** Answered from what was kept, stale answers included. */
  hits: number;
  /** Of those, the ones that were past their `ttlMs`. */
  stale: number;
  /** Of the hits, the ones that came from Redis. */
  redisHits: number;
  misses: number;
  /** Calls inside a writing transaction: they load, and nothing is kept. */
  bypassed: number;
  /** Loads that began. Fewer than misses: callers of one key share one. */
  loads: number;
  loadErrors: number;
  loadTimeouts: number;
  sets: number;
  /** Results that were not kept because what they depend on was changed in the meantime. */
  refused: number;
  /** Results that were not kept because they are too large, or cannot be copied. */
  unkept: number;
  evictions: number;
  /** Changes, and calls of `invalidate…`, `delete` and `clear`. */
  invalidations: number;
  /** Entries dropped by those. */
  dropped: number;
}

export function createCounters(): CacheCounters {
  return {
    hits: 0,
    stale: 0,
    redisHits: 0,
    misses: 0,
    bypassed: 0,
    loads: 0,
    loadErrors: 0,
    loadTimeouts: 0,
    sets: 0,
    refused: 0,
    unkept: 0,
    evictions: 0,
    invalidations: 0,
    dropped: 0,
  };
}
