import type { Clock } from '../async/index.ts';
import type { Announcer } from '../events/index.ts';
import { Cache, type CacheParts } from './cache.ts';
import { CacheKeys } from './cache-keys.ts';
import { resolveCacheOptions, type CacheOptions } from './cache-options.ts';
import { CacheReport } from './cache-report.ts';
import { Coupling, type CachedDatabase } from './coupling.ts';
import { Invalidator } from './invalidator.ts';
import { Loader } from './loader.ts';
import { MemoryTier } from './memory-tier.ts';
import { ReadThrough } from './read-through.ts';
import { RedisTier } from './redis-tier.ts';
import { SingleFlight } from './single-flight.ts';
import { ValuePolicy } from './value-policy.ts';
import { Versions } from './versions.ts';

/** Everything that a cache does not make itself. */
export interface CacheSurroundings extends Pick<CacheParts, 'on' | 'onClose' | 'listening'> {
  readonly name: string;
  readonly database: CachedDatabase | undefined;
  readonly announce: Announcer;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** The one place where the parts of a cache are put together. @throws ConfigError listing every fault */
export function buildCache(given: CacheOptions, surroundings: CacheSurroundings): Cache {
  const { name, database, listening, announce, clock, random, on, onClose } = surroundings;
  const options = resolveCacheOptions(given);
  const report = new CacheReport(name, announce);
  const versions = new Versions();
  const flights = new SingleFlight();
  const { maxEntries, maxBytes, ttlJitter } = options;
  const memory = new MemoryTier({ maxEntries, maxBytes, onEvict: () => report.evicted() });
  const second =
    given.redis === undefined ? undefined : new RedisTier(given.redis, { name, announce, clock, random });
  const invalidator = new Invalidator({ memory, versions, flights, report, bus: second });
  const cacheKey = {};
  const coupling = new Coupling({
    database,
    cache: cacheKey,
    versions,
    onChange: (labels, source) => void invalidator.invalidate(labels, source),
  });
  const owner = { cache: cacheKey, database };
  const values = new ValuePolicy(options.values);
  const shared = { owner, memory, second, versions, coupling, values, report, ttlJitter, clock, random };
  const loader = new Loader(shared);
  second?.start((labels) => {
    void (labels === 'everything' ? invalidator.everything('bus') : invalidator.invalidate(labels, 'bus'));
  });
  return new Cache({
    name,
    options,
    keys: new CacheKeys(options.scope),
    memory,
    flights,
    coupling,
    invalidator,
    loader,
    reader: new ReadThrough({ ...shared, flights, loader }),
    report,
    now: () => clock.now(),
    on,
    second,
    listening,
    onClose,
  });
}
