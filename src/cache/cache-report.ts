import { TimeoutError } from '../errors/index.ts';
import type { Announcer } from '../events/index.ts';
import { createCounters, type CacheCounters } from './counters.ts';

export interface Invalidation {
  readonly source: 'local' | 'foreign' | 'bus';
  readonly dropped: number;
}

/** Counts what a cache does, and announces it where somebody listens. Keys stay out: they may be secret. */
export class CacheReport {
  readonly counters: CacheCounters = createCounters();
  readonly #cache: string;
  readonly #announce: Announcer;

  constructor(cache: string, announce: Announcer) {
    this.#cache = cache;
    this.#announce = announce;
  }

  hit(name: string | undefined, tier: 'memory' | 'redis', stale: boolean): void {
    this.counters.hits += 1;
    if (stale) this.counters.stale += 1;
    if (tier === 'redis') this.counters.redisHits += 1;
    if (this.#announce.has('cache:hit'))
      this.#announce.emit('cache:hit', { ...this.#about(name), tier, stale });
  }

  missed(name: string | undefined): void {
    this.counters.misses += 1;
    this.#miss(name, false);
  }

  bypassed(name: string | undefined): void {
    this.counters.bypassed += 1;
    this.#miss(name, true);
  }

  loadBegan(): void {
    this.counters.loads += 1;
  }

  loadFailed(error: unknown): void {
    this.counters.loadErrors += 1;
    if (error instanceof TimeoutError) this.counters.loadTimeouts += 1;
  }

  refused(): void {
    this.counters.refused += 1;
  }

  unkept(): void {
    this.counters.unkept += 1;
  }

  evicted(): void {
    this.counters.evictions += 1;
  }

  set({ name, bytes }: { readonly name: string | undefined; readonly bytes: number }): void {
    this.counters.sets += 1;
    if (this.#announce.has('cache:set')) this.#announce.emit('cache:set', { ...this.#about(name), bytes });
  }

  invalidated(invalidation: Invalidation): void {
    this.counters.invalidations += 1;
    this.counters.dropped += invalidation.dropped;
    if (this.#announce.has('cache:invalidate'))
      this.#announce.emit('cache:invalidate', { cache: this.#cache, ...invalidation });
  }

  #miss(name: string | undefined, bypassed: boolean): void {
    if (this.#announce.has('cache:miss'))
      this.#announce.emit('cache:miss', { ...this.#about(name), bypassed });
  }

  #about(name: string | undefined): { readonly cache: string; readonly name?: string } {
    return name === undefined ? { cache: this.#cache } : { cache: this.#cache, name };
  }
}
