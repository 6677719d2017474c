import { expect, test } from 'vitest';
import { SlidingWindow } from './sliding-window.ts';
import { StoreGuard } from './store-guard.ts';

test('a store that fails many at once is told of once, and the limit holds without it', async () => {
  let asked = 0;
  const broken = {
    take: async () => {
      asked += 1;
      throw new Error('gone');
    },
  };
  const lines: unknown[] = [];
  const log = { warn: (...line: unknown[]) => void lines.push(line) };
  const guard = new StoreGuard(broken, new SlidingWindow(), { log });
  const policy = { limit: 5, windowMs: 60_000 };
  const taken = await Promise.all(Array.from({ length: 20 }, () => guard.take('client', policy)));
  expect(taken.filter(({ allowed }) => allowed)).toHaveLength(5);
  expect([asked, lines.length]).toEqual([20, 1]);
  // And is left alone for a while.
  await guard.take('client', policy);
  expect(asked).toBe(20);
});
