import type { Cache } from './cache.ts';
import { getCache } from './cache-registry.ts';
import type { CachedFunction, CachedOptions } from './cached-function.ts';

interface AmbientOptions {
  /** The cache by its name, looked up at each call. @default 'main' */
  readonly cache?: string | undefined;
}

/**
 * `cache.cached()` for a cache that may be made later: the function, answered from an open cache by name.
 * Without one, a call rejects with UsageError.
 */
export function cached<This, Args extends unknown[], Result>(
  work: (this: This, ...args: Args) => Result | Promise<Result>,
  { cache: cacheName, ...options }: CachedOptions<Args, Awaited<Result>> & AmbientOptions = {},
): CachedFunction<This, Args, Awaited<Result>> {
  const inCache = new WeakMap<Cache, CachedFunction<This, Args, Awaited<Result>>>();
  const find = (): CachedFunction<This, Args, Awaited<Result>> => {
    const cache = getCache(cacheName);
    const known = inCache.get(cache);
    if (known !== undefined) return known;
    const made = cache.cached(work, options);
    inCache.set(cache, made);
    return made;
  };
  async function cachedCall(this: This, ...args: Args): Promise<Awaited<Result>> {
    return find().apply(this, args);
  }
  return Object.assign(cachedCall, {
    delete: async (...args: Args): Promise<void> => find().delete(...args),
    clear: async (): Promise<void> => find().clear(),
  });
}

/** `cache.invalidates()` for a cache that may be made later. */
export function invalidates<This, Args extends unknown[], Result>(
  tags: string | readonly string[],
  work: (this: This, ...args: Args) => Result | Promise<Result>,
  { cache }: AmbientOptions = {},
): (this: This, ...args: Args) => Promise<Awaited<Result>> {
  return async function invalidatingCall(this: This, ...args: Args): Promise<Awaited<Result>> {
    return getCache(cache).invalidates(tags, work).apply(this, args);
  };
}
