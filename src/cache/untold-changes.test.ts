import { expect, test } from 'vitest';
import { UntoldChanges } from './untold-changes.ts';

test('changes are told together, one time after the other, and again when that failed', () => {
  const untold = new UntoldChanges();
  expect(untold.take()).toBeUndefined();
  untold.add(['a', 'b']);
  untold.add(['b']);
  expect(untold.take()).toEqual(['a', 'b']);
  untold.add(['c']);
  expect([untold.take(), untold.size]).toEqual([undefined, 3]);
  untold.failed();
  expect(new Set(untold.take())).toEqual(new Set(['a', 'b', 'c']));
  untold.told();
  expect([untold.take(), untold.size]).toEqual([undefined, 0]);
});

test('everything replaces all that waits, and is sent again after a failure', () => {
  const untold = new UntoldChanges();
  untold.add(['a']);
  untold.add('everything');
  untold.add(['b']);
  expect(untold.take()).toBe('everything');
  untold.failed();
  expect(untold.take()).toBe('everything');
  untold.add('everything');
  untold.told();
  expect([untold.size, untold.take()]).toEqual([1, 'everything']);
});

test('too many to remember are everything', () => {
  const untold = new UntoldChanges();
  untold.add(Array.from({ length: 10_001 }, (_, index) => `label ${index}`));
  expect([untold.size, untold.take()]).toEqual([1, 'everything']);
});

test('a look back says what may be older than an untold change', () => {
  const untold = new UntoldChanges();
  expect(untold.snapshot()(['a'])).toBe(true);
  untold.add(['a']);
  untold.take();
  untold.add(['b']);
  const mayBeGiven = untold.snapshot();
  untold.told();
  expect([['a'], ['b'], ['c'], []].map((labels) => mayBeGiven(labels))).toEqual([false, false, true, true]);
  untold.add('everything');
  expect(untold.snapshot()([])).toBe(false);
});
