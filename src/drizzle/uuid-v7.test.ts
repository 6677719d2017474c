import { expect, test } from 'vitest';
import { uuidV7 } from './uuid-v7.ts';

test('has its version, its variant, and the time in its first 48 bits', () => {
  const uuid = uuidV7(0x0123_4567_89ab);
  expect(uuid).toMatch(/^01234567-89ab-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});

test('is another one each time, and later ones sort behind', () => {
  const uuids = Array.from({ length: 1_000 }, (_, index) => uuidV7(1_700_000_000_000 + index));
  expect(new Set(uuids).size).toBe(1_000);
  expect(uuids.toSorted()).toEqual(uuids);
  expect(uuidV7(5)).not.toBe(uuidV7(5));
});
