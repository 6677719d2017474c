import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { waitAtMost } from './wait-at-most.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('waits for the work, and for no longer than it is told', async () => {
  const never = new Promise(() => {});
  const waiting = waitAtMost(100, never);
  await vi.advanceTimersByTimeAsync(99);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
});

it('passes on what the work rejects with, and leaves no timer', async () => {
  await expect(waitAtMost(100, Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  expect(vi.getTimerCount()).toBe(0);
});

it('takes any time, however long', async () => {
  const work = Promise.withResolvers<void>();
  let isOver = false;
  const waiting = waitAtMost(Infinity, work.promise).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(isOver).toBe(false);
  work.resolve();
  await waiting;
});
