import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TurnBudget } from './turn-budget.ts';

describe('the budget of a turn', () => {
  test('lets callers in until it is spent', () => {
    const budget = new TurnBudget(2);
    expect([100, 101, 101.9, 102, 500].map((now) => budget.hasRoom(now))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test('is full again in the next turn of the event loop, and not before', async () => {
    const budget = new TurnBudget(2);
    budget.hasRoom(0);
    await Promise.resolve();
    expect(budget.hasRoom(5)).toBe(false);
    await nextTurn();
    expect(budget.hasRoom(5)).toBe(true);
  });

  test('resumes waiting callers in a later turn, in the order in which they came', async () => {
    const budget = new TurnBudget(5);
    const resumed: number[] = [];
    budget.hasRoom(0);
    for (const place of [1, 2, 3]) budget.wait(() => resumed.push(place));
    expect(budget.waiting).toBe(3);
    expect(resumed).toEqual([]);
    await nextTurn();
    await nextTurn();
    expect(resumed).toEqual([1, 2, 3]);
    expect(budget.waiting).toBe(0);
  });

  test('is not for new callers while others wait', () => {
    const budget = new TurnBudget(1_000);
    budget.hasRoom(0);
    budget.wait(() => undefined);
    expect(budget.hasRoom(1)).toBe(false);
  });

  test('spreads many waiting callers over several turns', async () => {
    const budget = new TurnBudget(1);
    let turns = 0;
    let resumed = 0;
    const busyFor = (ms: number) => {
      const until = performance.now() + ms;
      while (performance.now() < until);
    };
    budget.hasRoom(0);
    for (let call = 0; call < 6; call += 1) {
      budget.wait(() => {
        busyFor(0.6);
        resumed += 1;
      });
    }
    while (resumed < 6) {
      await nextTurn();
      turns += 1;
    }
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});
