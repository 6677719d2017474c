import { expect, test } from 'vitest';
import { plainWrites } from './plain-writes.ts';
import type { QueryDatabase } from './query-database.ts';

function databaseThat(describe: (text: string) => object): QueryDatabase {
  return { describe: async (text: string) => describe(text) } as unknown as QueryDatabase;
}

const WRITE = { writes: true, tablesWritten: ['a'], columns: [] };

test.each([
  ['only write rows', 'delete from a; delete from b', () => WRITE, ['delete from a', 'delete from b']],
  ['are 50 at most', 'delete from a;'.repeat(51), () => WRITE, undefined],
  ['are there', '-- nothing', () => WRITE, undefined],
  ['give no rows', 'a', () => ({ ...WRITE, columns: [{}] }), undefined],
  ['write', 'a', () => ({ ...WRITE, writes: false }), undefined],
  ['write into known tables', 'a', () => ({ ...WRITE, tablesWritten: [] }), undefined],
])('statements of a script are a batch where they %s', async (_, script, describe, expected) => {
  expect(await plainWrites(databaseThat(describe), script)).toEqual(expected);
});

test('a script with a statement that cannot be described is left as it is', async () => {
  const db = databaseThat((text) => {
    if (text.includes('late')) throw new Error('no such table: late');
    return WRITE;
  });
  expect(await plainWrites(db, 'delete from a; delete from late')).toBe(undefined);
});
