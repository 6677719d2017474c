import { describe, expect, it } from 'vitest';
import { checkTogether } from './contradictions.ts';
import type { Setting } from './layer.ts';
import { mergeLevels } from './merge.ts';
import { Problems } from './problems.ts';
import type { FlatOptions, OptionName } from './schema.ts';

function check(values: Partial<FlatOptions>, path: string | undefined): void {
  const settings: Setting[] = Object.entries(values).map(([key, value]) => ({
    option: key as OptionName,
    value,
    key,
    source: 'options',
  }));
  const problems = new Problems();
  const dialect = path === undefined ? 'postgres' : 'sqlite';
  const circumstances = { dialect, production: false, cores: 4, inMemory: path === ':memory:' } as const;
  checkTogether(mergeLevels([settings], circumstances, problems), path, problems);
  problems.throwIfAny();
}

describe('options that are wrong together', () => {
  it.each([
    [
      { 'pool.min': 5 },
      '/a.db',
      'pool.min (options): is 5; allowed: no more than the maximum, and pool.max is 4 (default)',
    ],
    [
      { 'pool.min': 11 },
      undefined,
      'pool.min (options): is 11; allowed: no more than the maximum, and pool.max is 10 (default)',
    ],
    [
      { 'pool.max': 65 },
      '/a.db',
      'pool.max (options): allows 65 readers with overflow; allowed on SQLite: 64',
    ],
    [
      { 'pool.max': 60, 'pool.maxOverflow': 5 },
      '/a.db',
      'pool.maxOverflow (options): allows 65 readers with overflow',
    ],
    [{ pooled: true }, ':memory:', 'pooled (options): is true; a database in memory has one connection'],
    [
      { 'sqlite.journalMode': 'delete' },
      '/a.db',
      'sqlite.journalMode (options): is "delete", under which readers and the writer block',
    ],
    [{ 'sqlite.journalMode': 'truncate' }, '/a.db', 'use "wal", or pooled: false'],
    [
      { readOnly: true, initScript: 'init.sql' },
      '/a.db',
      'initScript (options): is there, and readOnly is true (options)',
    ],
    [
      { readOnly: true, 'postgres.throughPooler': true },
      undefined,
      'postgres.throughPooler (options): is true, and readOnly is true (options)',
    ],
  ] as const)('%j on %s', (values, path, message) => {
    expect(() => check(values, path)).toThrow(message);
  });

  it.each([
    [{ 'pool.min': 4, 'pool.max': 4 }, '/a.db'],
    [{ 'pool.max': 500, 'pool.maxOverflow': 500 }, undefined],
    [{ 'pool.preset': 'production' }, '/a.db'],
    [{ 'sqlite.journalMode': 'delete', pooled: false }, '/a.db'],
    [{ 'sqlite.journalMode': 'delete' }, ':memory:'],
    [{ 'sqlite.journalMode': 'delete' }, undefined],
    [{ initScript: 'init.sql' }, '/a.db'],
    [{ readOnly: true }, '/a.db'],
    [{ pooled: false }, ':memory:'],
  ] as const)('%j on %s is fine', (values, path) => {
    expect(() => check(values, path)).not.toThrow();
  });
});
