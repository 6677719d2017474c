import { expect, it } from 'vitest';
import { OPTION_NAMES } from './schema.ts';
import { TEXT_NAMES, toTextName } from './text-names.ts';

it.each([
  ['pool.max', 'pool_max'],
  ['pool.maxOverflow', 'pool_max_overflow'],
  ['healthCheck.retryIntervalMs', 'health_check_retry_interval_ms'],
  ['sqlite.journalMode', 'journal_mode'],
  ['sqlite.cacheSizeKiB', 'cache_size_kib'],
  ['readOnly', 'read_only'],
] as const)('calls %s %s in YAML and URLs', (option, name) => {
  expect(toTextName(option)).toBe(name);
});

it('J1 knows the eight keys of config/database.yaml, path apart', () => {
  const keys = [
    'pool_size',
    'pool_timeout',
    'busy_timeout',
    'journal_mode',
    'synchronous',
    'cache_size',
    'foreign_keys',
  ];
  expect(keys.filter((key) => !TEXT_NAMES.sqlite.has(key))).toEqual([]);
});

it('has one name for every option, no two alike, and for PostgreSQL none that only SQLite has', () => {
  expect(new Set(OPTION_NAMES.map(toTextName)).size).toBe(OPTION_NAMES.length);
  expect(TEXT_NAMES.postgres.has('pool_size')).toBe(true);
  for (const name of ['journal_mode', 'durability', 'inline_reads', 'busy_timeout']) {
    expect(TEXT_NAMES.postgres.has(name)).toBe(false);
  }
});
