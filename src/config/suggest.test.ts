import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

describe('suggest', () => {
  it.each([
    ['maxx', ['min', 'max', 'maxOverflow'], 'max'],
    ['pool_sze', ['pool_size', 'pool_timeout'], 'pool_size'],
    ['poolSize', ['pool_size', 'pool_timeout'], 'pool_size'],
    ['acquire_timeout_ms', ['acquireTimeoutMs', 'createTimeoutMs'], 'acquireTimeoutMs'],
    ['acquireTimeout', ['acquireTimeoutMs', 'createTimeoutMs'], 'acquireTimeoutMs'],
    ['DATABSE_URL', ['DATABASE_URL', 'DATABASE_READ_URL'], 'DATABASE_URL'],
  ])('takes %s for what was meant', (word, candidates, meant) => {
    expect(suggest(word, candidates)).toBe(meant);
  });

  it.each([['quantity'], ['x'], ['']])('suggests nothing for %j, which is like no candidate', (word) => {
    expect(suggest(word, ['pool', 'sqlite', 'durability'])).toBeUndefined();
  });

  it('prefers a small slip to a mere beginning', () => {
    expect(suggest('pool', ['pool_size', 'pools'])).toBe('pools');
  });

  it('looks at a very long word only as far as 100 letters', () => {
    expect(suggest('x'.repeat(1_000_000), ['pool'])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['max', 'max', 0],
    ['max', 'mix', 1],
    ['max', 'mx', 1],
    ['amx', 'max', 1],
    ['kitten', 'sitting', 3],
  ])('is the number of slips between %j and %j', (a, b, slips) => {
    expect(editDistance(a, b)).toBe(slips);
  });
});
