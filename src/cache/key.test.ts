import { expect, test } from 'vitest';
import { refusalOf } from '../../test/fixtures/refusal-of.ts';
import { encodeKey } from './key.ts';
import { boundedKey, dependencyLabels, digest, keyLabel, tableLabel, tagLabel } from './labels.ts';

test('what has no content to compare is refused, and the message holds none of it (B18)', () => {
  class User {
    readonly name = 'hunter2';
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const refused: readonly [unknown, string][] = [
    [() => 1, 'a function'],
    [Symbol('hunter2'), 'a symbol'],
    [[new User()], 'an instance of User'],
    [new Map([['hunter2', 1]]), 'an instance of Map'],
    [{ [Symbol('hunter2')]: 1 }, 'a symbol as a name'],
    [Object.assign(['a'], { hunter2: 1 }), 'properties of its own'],
    [cycle, '64 levels deep'],
  ];
  for (const [value, reason] of refused) {
    const message = refusalOf(() => encodeKey(value));
    expect(message).toContain(reason);
    expect(message).not.toContain('hunter2');
  }
});

test('labels are short, without spaces, and of one table whatever way it is written', () => {
  expect(tableLabel('Public.Users')).toBe(tableLabel('users'));
  const labels = [
    tagLabel('users'),
    tableLabel('users'),
    keyLabel('users'),
    tagLabel('a b'),
    tagLabel('a\tb'),
  ];
  expect(new Set(labels).size).toBe(labels.length);
  for (const label of [...labels, tagLabel('x'.repeat(9_999))]) expect(label).toMatch(/^\S{2,82}$/);
  expect(tagLabel('#x')).not.toBe('g#x');
  expect(boundedKey('x'.repeat(401))).toBe(`\0#${digest('x'.repeat(401))}`);
});

test('a tag or table that is not a string is refused', () => {
  for (const [tags, tables] of [[['']], [[7]], ['text'], [[], [undefined]]] as unknown as [
    string[],
    string[],
  ][])
    expect(refusalOf(() => dependencyLabels(tags, tables))).toContain('is a non-empty string');
});
