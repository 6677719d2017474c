import { expect, test } from 'vitest';
import { TextCache } from './text-cache.ts';

test('gives back what was kept, and nothing for other texts', () => {
  const cache = new TextCache<number>();
  cache.set('a', 1);
  expect(cache.get('a')).toBe(1);
  expect(cache.get('b')).toBeUndefined();
});

test('keeps a thousand texts at most, the ones used lately among them', () => {
  const cache = new TextCache<number>();
  cache.set('popular', -1);
  for (let index = 0; index < 5_000; index += 1) {
    cache.set(`text ${index}`, index);
    expect(cache.get('popular')).toBe(-1);
    expect(cache.size).toBeLessThanOrEqual(1_000);
  }
  expect(cache.get('text 4999')).toBe(4_999);
  expect(cache.get('text 0')).toBeUndefined();
});

test('does not keep long texts', () => {
  const cache = new TextCache<number>();
  cache.set('x'.repeat(8_193), 1);
  expect(cache.size).toBe(0);
});
