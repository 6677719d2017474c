import { describe, expect, test } from 'vitest';
import type { RecentLeak, StatementSnapshot } from '../../metrics/index.ts';
import type { MonitorState } from '../monitor-state.ts';
import { grouped, latestOfEach, matches, nextOrder, partOf, sorted } from './rows.ts';

const statement = (fields: Partial<StatementSnapshot>) =>
  ({
    text: 'select ?',
    database: 'main',
    tablesRead: [],
    tablesWritten: [],
    ...fields,
  }) as unknown as StatementSnapshot;

describe('the filter of statements', () => {
  test.each([
    ['', true],
    ['NOTES', true],
    ['by city', true],
    ['notes cities', true],
    ['notes missing', false],
  ])('%j finds: %s', (words, found) => {
    const fields = { text: 'select * from notes', name: 'byCity', tablesRead: ['cities'] };
    expect(matches(statement(fields), { words, database: '' })).toBe(found);
  });

  test('keeps to one database', () => {
    expect(matches(statement({}), { words: '', database: 'main' })).toBe(true);
    expect(matches(statement({}), { words: '', database: 'other' })).toBe(false);
  });
});

describe('the order of a table', () => {
  test('begins with the largest, and turns with the next press', () => {
    const first = nextOrder({ column: 0, direction: 'ascending' }, 2);
    expect(first).toEqual({ column: 2, direction: 'descending' });
    expect(nextOrder(first, 2)).toEqual({ column: 2, direction: 'ascending' });
    expect(sorted([1, 3, 2], (row) => row, first)).toEqual([3, 2, 1]);
    expect(sorted([1, 3, 2], (row) => row, nextOrder(first, 2))).toEqual([1, 2, 3]);
  });
});

test('what is the same becomes one, the newest of it', () => {
  const items = [
    { at: 3, code: 'a' },
    { at: 2, code: 'b' },
    { at: 1, code: 'a' },
  ];
  expect(grouped(items, ({ code }) => code)).toEqual([
    { newest: { at: 3, code: 'a' }, count: 2 },
    { newest: { at: 2, code: 'b' }, count: 1 },
  ]);
});

describe('the part of one database', () => {
  const things = [{ database: 'main' }, { database: 'other' }];
  const lists = { suspects: things, leaks: things, slowQueries: things, errors: things, notices: things };
  const state = { databases: [{ name: 'main' }, { name: 'other' }], ...lists } as unknown as MonitorState;

  test.each([
    ['', 2],
    ['other', 1],
    ['gone', 0],
  ])('of %j has %d of each', (database, count) => {
    const { databases, suspects, problems } = partOf(state, database);
    const lengths = [databases, suspects, ...Object.values(problems)].map(({ length }) => length);
    expect(lengths).toEqual(Array.from({ length: 6 }, () => count));
  });
});

describe('leaks', () => {
  const leak = (fields: Partial<RecentLeak>): RecentLeak => ({
    ...{ database: 'main', pool: 'main', holder: '', takenAt: 'at take', returned: false },
    ...{ at: 10_000, heldMs: 2_000, ...fields },
  });

  test('that came back are shown once; others of the same place stay', () => {
    const back = leak({ at: 15_000, heldMs: 7_010, returned: true });
    const another = leak({ at: 12_000, heldMs: 2_000 });
    expect(latestOfEach([back, another, leak({})])).toEqual([back, another]);
    expect(latestOfEach([leak({}), leak({ holder: 'report' })])).toHaveLength(2);
  });
});
