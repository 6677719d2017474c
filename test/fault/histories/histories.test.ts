import { afterEach, describe, expect, test } from 'vitest';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { checkHistory } from './check-history.ts';
import type { Entry, Step } from './history.ts';
import { recordHistory } from './record-history.ts';

describe('what many callers saw and were told has one order, in which each had its turn alone (C35, B1, B5)', () => {
  afterEach(() => expect(liveWorkers()).toEqual([]));

  test.each([
    ['in every way that statements are placed', {}],
    ['without inline reads', { inlineReads: false }],
    ['with one connection', { pooled: false }],
  ])(
    '%s, while threads die',
    async (_, options) => {
      const plan = { transactions: scaled(500), seed, deaths: scaled(4), options };
      const { entries, lists } = await recordHistory(plan);
      expect(checkHistory(entries, lists), `seed ${seed}`).toEqual([]);
      const committed = entries.filter(({ told }) => told === 'committed').length;
      expect(committed, 'most of them were committed').toBeGreaterThan(scaled(250));
      expect(lists.size).toBe(4);
    },
    scaledTimeoutMs(),
  );
});

describe('the check of a history (C35)', () => {
  const append = (value: number, list: number = 1): Step => ({ kind: 'append', list, value });
  const read = (seen: readonly number[], list: number = 1): Step => ({ kind: 'read', list, seen });
  const entry = (
    beganAt: number,
    endedAt: number,
    steps: Step[],
    told: Entry['told'] = 'committed',
  ): Entry => ({
    steps,
    beganAt,
    endedAt,
    told,
  });
  const lists = new Map([
    [1, [1, 2]],
    [2, [11, 12]],
  ]);
  const twoWriters = [entry(0, 1, [append(1), append(11, 2)]), entry(2, 3, [append(2), append(12, 2)])];

  test('accepts one that has an order', () => {
    expect(checkHistory([...twoWriters, entry(1, 4, [read([1]), read([11], 2)])], lists)).toEqual([]);
  });

  test.each<[string, Entry[]]>([
    ['an acknowledged append that is lost', [...twoWriters, entry(4, 5, [append(3)])]],
    ['an append that was refused and is there', [twoWriters[0]!, { ...twoWriters[1]!, told: 'refused' }]],
    ['a transaction that is there in part', [...twoWriters, entry(4, 5, [append(1), append(3)], 'unknown')]],
    ['a read of what is no beginning', [...twoWriters, entry(1, 4, [read([2])])]],
    [
      'a read that saw one list before and the other after',
      [...twoWriters, entry(1, 4, [read([1]), read([11, 12], 2)])],
    ],
    ['a read that was too old', [...twoWriters, entry(4, 5, [read([1])])]],
    ['a read of what came later', [...twoWriters, entry(1, 1.5, [read([1, 2])])]],
    [
      'two that did not see each other',
      [entry(0, 9, [read([]), append(11, 2)]), entry(0, 9, [read([], 2), append(1)]), twoWriters[1]!].map(
        (one, index) => (index === 2 ? entry(10, 11, [append(2), append(12, 2)]) : one),
      ),
    ],
    [
      'a lost update',
      [entry(0, 9, [read([]), append(1), append(11, 2)]), entry(0, 9, [read([]), append(2), append(12, 2)])],
    ],
  ])('finds %s', (_, entries) => {
    expect(checkHistory(entries, lists)).not.toEqual([]);
  });
});
