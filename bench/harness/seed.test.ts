import { expect, test } from 'vitest';
import { Random } from './random.ts';
import { eventOf, itemOf } from './seed.ts';

test('an item is a function of its id alone', () => {
  expect(itemOf(42)).toEqual(itemOf(42));
  expect(itemOf(42)).not.toEqual({ ...itemOf(43), id: 42 });
});

test('the same seed gives every peer the same events', () => {
  const events = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => eventOf(random));
  };
  expect(events(1)).toEqual(events(1));
  expect(events(1)).not.toEqual(events(2));
});
