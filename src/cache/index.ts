export { cached, invalidates } from './ambient.ts';
export { Cache, type CacheStats, type EntryOptions } from './cache.ts';
export type { CachedFunction, CachedOptions, TagsOption } from './cached-function.ts';
export type { CacheOptions, LifetimeOptions } from './cache-options.ts';
export { getCache } from './cache-registry.ts';
export { createCache } from './create-cache.ts';
export type { LoadContext } from './loader.ts';
export type { RedisOptions } from './redis-options.ts';
export type { SecondTierStats } from './second-tier.ts';
