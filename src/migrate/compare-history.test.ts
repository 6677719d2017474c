import { describe, expect, test } from 'vitest';
import type { MigrationError, MigrationFault } from '../errors/index.ts';
import { compareHistory, type HistoryEntry } from './compare-history.ts';
import type { Migration } from './migration.ts';

function migrations(...names: readonly string[]): Migration[] {
  return names.map((name) => ({
    name,
    checksum: `sum of ${name.replace(/^\d+_/, '')}`,
    up: { file: `m/${name}.sql`, statements: [], inTransaction: true, withoutForeignKeys: false },
    down: undefined,
  }));
}

function entries(...names: readonly string[]): HistoryEntry[] {
  return migrations(...names).map(({ name, checksum }, index) => ({
    position: index + 1,
    name,
    checksum,
    state: 'applied',
    startedAt: 'T',
    finishedAt: 'T',
    durationMs: 1,
    runner: 'host:1',
  }));
}

function faultsOf(folder: readonly Migration[], history: readonly HistoryEntry[]): readonly MigrationFault[] {
  try {
    compareHistory(folder, history);
    return [];
  } catch (error) {
    return (error as MigrationError).faults;
  }
}

describe('B16: a history', () => {
  test('is fine where the folder begins with it', () => {
    const { pending, applied } = compareHistory(migrations('1_a', '2_b', '3_c'), entries('1_a', '2_b'));
    expect(pending.map(({ name }) => name)).toEqual(['3_c']);
    expect(applied.map(({ name }) => name)).toEqual(['1_a', '2_b']);
    expect(compareHistory([], [])).toEqual({ applied: [], pending: [], unfinished: undefined });
  });

  test('shows the one that has not ended', () => {
    const [a, b] = entries('1_a', '2_b');
    const unfinished = { ...b!, state: 'applying' as const };
    expect(compareHistory(migrations('1_a', '2_b'), [a!, unfinished])).toMatchObject({
      applied: [a],
      pending: [],
      unfinished,
    });
  });

  test.each([
    [
      'edited',
      migrations('1_a'),
      entries('1_a').map((one) => ({ ...one, checksum: 'other' })),
      'edited since',
    ],
    ['renamed', migrations('1_a', '3_b'), entries('1_a', '2_b'), 'applied as "2_b"'],
    ['missing', migrations('2_b'), entries('1_a', '2_b'), 'its file is gone'],
    ['reordered', migrations('2_b', '1_a'), entries('1_a', '2_b'), 'applied after 1_a'],
    ['reordered', migrations('1_a', '2_b', '3_c'), entries('1_a', '3_c'), 'stands before 3_c'],
  ])('C55: that was %s is refused', (kind, folder, history, message) => {
    expect(faultsOf(folder, history)).toEqual([
      expect.objectContaining({ kind, message: expect.stringContaining(message) }),
    ]);
  });

  test('has all its faults told at once', () => {
    const history = [...entries('1_a', '2_b'), { ...entries('3_c')[0]!, checksum: 'other', position: 3 }];
    expect(faultsOf(migrations('2_b', '3_c'), history).map(({ kind }) => kind)).toEqual([
      'missing',
      'edited',
    ]);
    expect(() => compareHistory(migrations('2_b', '3_c'), history)).toThrow(
      'The migrations have 2 faults:\n  - The migration "1_a"',
    );
  });
});
