import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/index.ts';
import { resolvePoolOptions } from './pool-options.ts';

function faultsOf(given: Record<string, unknown>): Record<string, string> {
  try {
    resolvePoolOptions(given);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ key, message }) => [key, message]));
  }
  return {};
}

describe('resolvePoolOptions', () => {
  it('fills in what is not said, or said to be undefined', () => {
    const options = resolvePoolOptions({ max: 4, min: undefined });
    expect(options).toMatchObject({ max: 4, min: 1, acquireTimeoutMs: 5_000, maxWaiting: 1_000 });
    expect(Object.isFrozen(options)).toBe(true);
    expect(resolvePoolOptions().max).toBe(10);
  });

  it('takes 0 for "off" where there is such a thing', () => {
    const off = { idleTimeoutMs: 0, maxLifetimeMs: 0, keepaliveMs: 0, leakAfterMs: 0, acquireTimeoutMs: 0 };
    expect(resolvePoolOptions(off)).toMatchObject(off);
    expect(faultsOf({ createTimeoutMs: 0, checkTimeoutMs: 0 })).toEqual({
      'pool.createTimeoutMs': 'must be milliseconds, 1 to 2147483647; it is 0.',
      'pool.checkTimeoutMs': 'must be milliseconds, 1 to 2147483647; it is 0.',
    });
  });

  it('reports every fault at once, with what is allowed (S8)', () => {
    const given = {
      max: 0,
      maxOverflow: 1.5,
      acquireTimeoutMs: -1,
      keepaliveMs: '2m',
      leakAfterMs: Number.NaN,
    };
    expect(faultsOf(given)).toEqual({
      'pool.max': 'must be a whole number, 1 to 10000; it is 0.',
      'pool.min': 'is 1, more than max, which is 0.',
      'pool.maxOverflow': 'must be a whole number, 0 to 10000; it is 1.5.',
      'pool.acquireTimeoutMs': 'must be milliseconds, 0 to 2147483647; it is -1.',
      'pool.keepaliveMs': 'must be milliseconds, 0 to 2147483647; it is of type string.',
      'pool.leakAfterMs': 'must be milliseconds, 0 to 2147483647; it is NaN.',
    });
  });

  it('refuses an unknown option and suggests the one that was meant', () => {
    expect(faultsOf({ maxx: 3, aquireTimeoutMs: 1, colour: null, constructor: 1 })).toEqual({
      'pool.maxx': 'There is no such option. Did you mean "max"?',
      'pool.aquireTimeoutMs': 'There is no such option. Did you mean "acquireTimeoutMs"?',
      'pool.colour': 'There is no such option.',
      'pool.constructor': 'There is no such option.',
    });
  });

  it('refuses options that contradict each other', () => {
    expect(faultsOf({ min: 5, max: 4, createRetryMinMs: 200, createRetryMaxMs: 100 })).toEqual({
      'pool.min': 'is 5, more than max, which is 4.',
      'pool.createRetryMinMs': 'is 200, more than createRetryMaxMs, which is 100.',
    });
  });
});
