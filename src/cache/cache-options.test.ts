import { describe, expect, test } from 'vitest';
import { ConfigError } from '../errors/index.ts';
import { resolveCacheOptions, resolveLifetime } from './cache-options.ts';
import { resolveRedisOptions } from './redis-options.ts';

function faultsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key }) => key);
    throw error;
  }
  return [];
}

describe('options of a cache', () => {
  test('have their defaults, and may be undefined', () => {
    const options = resolveCacheOptions({ ttlMs: undefined, staleMs: 5 });
    expect(options).toMatchObject({ ttlMs: 60_000, staleMs: 5, maxEntries: 10_000, values: 'freeze' });
    expect(resolveCacheOptions({ ttlMs: Infinity }).ttlMs).toBe(Infinity);
  });

  test('are refused all at once, with what was probably meant', () => {
    const given = {
      ttlMs: -1,
      maxEntries: 1.5,
      ttlJitter: 2,
      values: 'copy',
      scope: 'tenant',
      maxEntry: 1,
    } as object;
    expect(faultsOf(() => resolveCacheOptions(given)).sort()).toEqual(
      ['maxEntry', 'ttlMs', 'maxEntries', 'ttlJitter', 'values', 'scope'].map((key) => `cache.${key}`).sort(),
    );
    expect(() => resolveCacheOptions({ maxEntrys: 1 } as object)).toThrow('Did you mean "maxEntries"?');
  });

  test('of one call stand over those of the cache', () => {
    const cache = resolveCacheOptions({ ttlMs: 5, graceMs: 7 });
    expect(resolveLifetime({ ttlMs: 1 }, cache)).toMatchObject({ ttlMs: 1, graceMs: 7 });
    expect(faultsOf(() => resolveLifetime({ ttlMs: NaN, tag: [] } as object, cache, ['tags']))).toEqual([
      'cache.tag',
      'cache.ttlMs',
    ]);
  });
});

describe('options of Redis', () => {
  test('have their defaults', () => {
    const options = resolveRedisOptions({ url: 'redis://localhost:6379/2' }, 'main');
    expect(options).toMatchObject({ prefix: 'millpond:main', cacheTimeoutMs: 50, secret: undefined });
  });

  test('are refused all at once, and the URL, which may hold a password, is not shown (B18)', () => {
    const given = {
      url: 'http://me:hunter2@host',
      prefix: 'a b',
      secret: 'short',
      breakAfter: 0,
      brakeMs: 1,
    } as object;
    const refuse = () => resolveRedisOptions(given as { url: string }, 'main');
    expect(faultsOf(refuse).sort()).toEqual(
      ['brakeMs', 'breakAfter', 'prefix', 'secret', 'url'].map((key) => `cache.redis.${key}`),
    );
    expect(refuse).not.toThrow('hunter2');
    for (const url of ['redis://host/name', 'host', 7, undefined])
      expect(faultsOf(() => resolveRedisOptions({ url } as { url: string }, 'main'))).toEqual([
        'cache.redis.url',
      ]);
  });
});
