import { describe, expect, it } from 'vitest';
import { defaultsFor } from './defaults.ts';
import { OPTION_NAMES, RULES } from './schema.ts';

const dialects = ['sqlite', 'postgres'] as const;
const base = { production: false, cores: 8, inMemory: false };

describe('defaults', () => {
  it.each(dialects)('give every option of %s a value that it allows', (dialect) => {
    for (const production of [false, true]) {
      const values = defaultsFor({ ...base, dialect, production });
      for (const option of OPTION_NAMES) {
        const mayBeMissing = [
          'initScript',
          'migrationsFolder',
          'pool.preset',
          'postgres.searchPath',
        ].includes(option);
        const isAllowed = RULES[option].schema.safeParse(values[option]).success;
        expect(mayBeMissing ? values[option] === undefined : isAllowed, option).toBe(true);
      }
    }
  });

  it('P6 keep 10 connections and close idle ones after 20 s, in production 20 and 30 s', () => {
    const development = defaultsFor({ ...base, dialect: 'postgres' });
    const production = defaultsFor({ ...base, dialect: 'postgres', production: true });
    expect([development['pool.max'], development['pool.idleTimeoutMs']]).toEqual([10, 20_000]);
    expect([production['pool.max'], production['pool.idleTimeoutMs']]).toEqual([20, 30_000]);
  });

  it.each([
    [1, 1],
    [2, 2],
    [4, 4],
    [64, 4],
  ])('with %d cores allow %d readers on SQLite', (cores, max) => {
    expect(defaultsFor({ ...base, dialect: 'sqlite', cores })['pool.max']).toBe(max);
  });

  it('report a leak after 2 s, in production after 10 s', () => {
    for (const dialect of dialects) {
      expect(defaultsFor({ ...base, dialect })['pool.leakAfterMs']).toBe(2_000);
      expect(defaultsFor({ ...base, dialect, production: true })['pool.leakAfterMs']).toBe(10_000);
    }
  });

  it('have one connection where the database is in memory', () => {
    expect(defaultsFor({ ...base, dialect: 'sqlite' }).pooled).toBe(true);
    expect(defaultsFor({ ...base, dialect: 'sqlite', inMemory: true }).pooled).toBe(false);
  });
});
