import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { folderWith } from '../../test/fixtures/folder-with.ts';
import { ConnectionError } from '../errors/index.ts';
import { DatabaseSync } from './binding.ts';
import { applyPragmas, readPragmas } from './pragmas.ts';
import type { ConnectionSettings } from './settings.ts';

const SETTINGS: ConnectionSettings = {
  path: ':memory:',
  pooled: true,
  journalMode: 'wal',
  synchronous: 'full',
  foreignKeys: true,
  busyTimeoutMs: 1_234,
  cacheSizeKiB: 777,
  mmapSizeBytes: 1_048_576,
  journalSizeLimitBytes: 5_000_000,
  trustedSchema: false,
  walCheckpointBytes: 40_960,
  statementCacheSize: 10,
};

const opened: DatabaseSync[] = [];
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
});

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  opened.push(database);
  return database;
}

describe('a connection', () => {
  test('has every pragma that was asked for, as it reports itself (S2, J13)', async () => {
    const path = join(await folderWith(), 'a.db');
    const writer = open(path);
    applyPragmas(writer, { ...SETTINGS, path }, 'writer');
    writer.exec('create table t (x)');
    const expected = {
      journal_mode: 'wal',
      synchronous: 2,
      foreign_keys: 1,
      busy_timeout: 1_234,
      cache_size: -777,
      temp_store: 2,
      trusted_schema: 0,
      mmap_size: 1_048_576,
      journal_size_limit: 5_000_000,
      wal_autocheckpoint: 0,
    };
    expect(readPragmas(writer)).toEqual(expected);
    const reader = open(path);
    applyPragmas(reader, { ...SETTINGS, path, synchronous: 'normal', foreignKeys: false }, 'reader');
    expect(readPragmas(reader)).toEqual({ ...expected, synchronous: 1, foreign_keys: 0 });
  });

  test('that is the only one checkpoints by itself', async () => {
    const path = join(await folderWith(), 'a.db');
    const only = open(path);
    applyPragmas(only, { ...SETTINGS, path, pooled: false }, 'writer');
    expect(readPragmas(only)).toMatchObject({ wal_autocheckpoint: 10 });
  });

  test('in memory has what makes sense there', () => {
    const database = open(':memory:');
    applyPragmas(database, SETTINGS, 'writer');
    expect(readPragmas(database)).toMatchObject({ journal_mode: 'memory', foreign_keys: 1, temp_store: 2 });
  });

  test('is refused where a pragma does not take, by name', async () => {
    const path = join(await folderWith(), 'a.db');
    open(path).exec('create table t (x)');
    const reader = open(path);
    // A reader never switches the file: the writer alone does.
    expect(() => applyPragmas(reader, { ...SETTINGS, path }, 'reader')).toThrow(ConnectionError);
    expect(() => applyPragmas(reader, { ...SETTINGS, path }, 'reader')).toThrow(
      '"pragma journal_mode = wal": it reports delete',
    );
    const other = open(':memory:');
    const tooLarge = { ...SETTINGS, path: 'a file', journalMode: 'memory', mmapSizeBytes: 2 ** 52 };
    expect(() => applyPragmas(other, tooLarge, 'writer')).toThrow('pragma mmap_size');
  });
});
