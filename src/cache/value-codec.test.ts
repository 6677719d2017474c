import { expect, test } from 'vitest';
import { Sealer } from './sealed-value.ts';
import { decodeValue, encodeValue, UnshareableError } from './value-codec.ts';

test('values of every kind come back as they were', () => {
  const shared = {
    text: '\0 \ud800 "\\ é',
    list: [1, -0, NaN, Infinity, -Infinity, 2n ** 80n, null, undefined, true, ['u'], ['a']],
    at: new Date(1_700_000_000_000),
    never: new Date(NaN),
    bytes: new Uint8Array([0, 255]),
    buffer: Buffer.from('x'),
    map: new Map<unknown, unknown>([[{ a: 1 }, new Set([1, '1'])]]),
    nested: JSON.parse('{"__proto__":{"a":1},"constructor":2}') as unknown,
  };
  const back = decodeValue(encodeValue(shared));
  expect(back).toStrictEqual(shared);
  expect(({} as { a?: number }).a).toBeUndefined();
});

test('what has no form outside of the process is refused', () => {
  class User {}
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  class Moment extends Date {}
  class List extends Array<number> {}
  const matched: unknown = /a/.exec('a');
  const nameless: unknown = Object.assign(Object.create(null), { a: 1 });
  const holes: unknown = Object.assign([1], { 2: 3 });
  for (const value of [
    ...[() => 1, Symbol('s'), new User(), { at: new Error('e') }, new Int8Array(1), cycle],
    ...[new Moment(1), new List(1, 2), matched, nameless, holes, { [Symbol('s')]: 1 }],
    ...[new Map(), new Set(), new Date()].map((one) => Object.assign(one, { more: 1 })),
  ])
    expect(() => encodeValue(value)).toThrow(UnshareableError);
});

test('texts that nobody wrote like this are refused', () => {
  const texts = [
    '',
    '{',
    '[]',
    '["?"]',
    '[1]',
    '["i","x"]',
    '["i",1]',
    '["n","1"]',
    '["d","x"]',
    '["b",1]',
    '["constructor"]',
  ];
  for (const text of texts) expect(() => decodeValue(text)).toThrow(Error);
  expect(() => decodeValue('["a",'.repeat(100_000) + '1' + ']'.repeat(100_000))).toThrow(RangeError);
});

test('a sealed value opens under its own key, unchanged, and no older than it is', () => {
  const sealer = new Sealer('a secret of somebody');
  const value = { value: ['a'], labels: ['gt', '*'], freshMs: 100, staleMs: 150, goneMs: 300 };
  const sealed = sealer.seal('key', value);
  expect(sealer.open('key', sealed, 250)).toEqual({ ...value, freshMs: 50, staleMs: 100, goneMs: 250 });
  expect(sealer.open('key', sealed, 9_999)).toEqual(value);
  expect(sealer.open('other', sealed, 250)).toBeUndefined();
  for (const part of ['labels', 'life', 'data', 'seal'] as const)
    expect(sealer.open('key', { ...sealed, [part]: `${sealed[part]} ` }, 250)).toBeUndefined();
  expect(new Sealer('another secret of his').open('key', sealed, 250)).toBeUndefined();
  expect(new Sealer(undefined).open('key', sealed, 250)).toBeUndefined();
});

test('what is kept for ever is kept for thirty days elsewhere', () => {
  const value = { value: 1, labels: [], freshMs: Infinity, staleMs: Infinity, goneMs: Infinity };
  const { life } = new Sealer(undefined).seal('key', value);
  expect(life).toBe('2592000000 2592000000 2592000000');
});
