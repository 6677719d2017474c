import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { CacheKeys } from '../../src/cache/cache-keys.ts';
import { encodeArguments, encodeKey } from '../../src/cache/key.ts';
import { decodeValue, encodeValue } from '../../src/cache/value-codec.ts';
import { scaled } from '../fixtures/scale.ts';
import { fc } from '../fixtures/property.ts';

const PAIRS = scaled(6_000);

/** What is easily mistaken for something else, beside what fast-check finds by itself. */
const CONFUSABLE: readonly unknown[] = [
  ...[0, -0, 1, -1, NaN, Infinity, 1e21, 0n, 1n, -1n, true, false, null, undefined],
  ...[
    '',
    '0',
    '1',
    '1n',
    'true',
    'null',
    'undefined',
    'NaN',
    'a|b',
    'a:b',
    'a\0b',
    '\0',
    's1:a',
    '[0:]',
    '{0:}',
  ],
  ...['\ud800', '\ufffd', '\udfff', 'é', 'e\u0301', 'user:1', '__proto__', 'constructor'],
  ...[new Date(0), new Date(1), '1970-01-01T00:00:00.000Z', Buffer.from('1'), new Uint8Array([49])],
  ...[[], {}, [[]], [{}], [undefined], Array(1), [null], ['a', 'b'], ['a,b'], ['ab', ''], ['', 'ab']],
  ...[
    { a: 1 },
    { a: '1' },
    { a: undefined },
    JSON.parse('{"__proto__":1}'),
    { constructor: 1 },
    new Int8Array([49]),
  ],
];

const leaf = fc.oneof(
  fc.constantFrom(...CONFUSABLE),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.double(),
  fc.integer({ min: -2, max: 2 }),
  fc.bigInt({ min: -2n, max: 2n }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 3 }),
);

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'ab', '', '__proto__', '\0'), tie('value'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
}));

/** As different callers write the same thing: another order of names. */
function reordered(given: unknown): unknown {
  if (Array.isArray(given)) return Array.from(given, reordered);
  if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== Object.prototype)
    return given;
  const entries = Object.entries(given).reverse();
  return Object.fromEntries(entries.map(([name, one]) => [name, reordered(one)]));
}

test('two keys are one exactly where their values are equal (C52)', () => {
  for (const [index, one] of CONFUSABLE.entries())
    for (const other of CONFUSABLE.slice(index + 1)) expect(encodeKey(one)).not.toBe(encodeKey(other));
  const check = fc.property(value, value, (one, other) => {
    expect(encodeKey(one) === encodeKey(other)).toBe(isDeepStrictEqual(one, other));
  });
  fc.assert(check, { numRuns: PAIRS });
});

test('the order of an object’s properties does not count (C52)', () => {
  const check = fc.property(value, (one) => {
    const again = reordered(one);
    // Holes are filled by writing an array anew.
    fc.pre(isDeepStrictEqual(one, again));
    expect(encodeKey(again)).toBe(encodeKey(one));
  });
  fc.assert(check, { numRuns: scaled(1_000) });
});

/** As the arguments of a call are: without holes. */
function isPlainList(list: readonly unknown[]): boolean {
  return Object.keys(list).length === list.length;
}

test('tenants, functions and arguments are never mixed up (C52)', () => {
  const parts = {
    scope: fc.option(fc.constantFrom('a', 'b', 1, '1', null, 'f', 'k', '@'), { nil: undefined }),
    name: fc.option(fc.constantFrom('f', 'fs', 'list', '', '\0'), { nil: undefined }),
    key: value,
  };
  const place = fc.record(parts, { noNullPrototype: true });
  const keyOf = ({
    scope,
    name,
    key,
  }: {
    scope: unknown;
    name: string | undefined;
    key: unknown;
  }): string => {
    const keys = new CacheKeys(scope === undefined ? undefined : () => scope);
    return name === undefined
      ? keys.ofKey(key)
      : keys.ofCall(
          encodeKey(name),
          Array.isArray(key) && isPlainList(key) ? encodeArguments(key) : encodeKey(key),
        );
  };
  const check = fc.property(place, place, (one, other) => {
    expect(keyOf(one) === keyOf(other)).toBe(isDeepStrictEqual(one, other));
  });
  fc.assert(check, { numRuns: PAIRS });
});

test('long keys are told apart too, and stay short (C52)', () => {
  const keys = new CacheKeys(undefined);
  const long = 'x'.repeat(5_000);
  const all = [long, `${long}\ud800`, `${long}\udc00`, `${long}\ufffd`, [long], { long }].map((key) =>
    keys.ofKey(key),
  );
  expect(new Set(all).size).toBe(all.length);
  for (const key of all) expect(key.length).toBeLessThan(60);
});

test('a value comes back through Redis as it was', () => {
  const check = fc.property(value, (one) => {
    // A hole becomes undefined on the way, and other bytes than these two kinds are not shared at all.
    fc.pre(isDeepStrictEqual(one, sharable(one)));
    expect(isDeepStrictEqual(decodeValue(encodeValue(one)), one)).toBe(true);
  });
  fc.assert(check, { numRuns: PAIRS });
});

/** The value without what the codec does not promise. */
function sharable(given: unknown): unknown {
  if (given instanceof Int8Array) return undefined;
  if (Array.isArray(given)) return Array.from(given, sharable);
  if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== Object.prototype)
    return given;
  return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, sharable(one)]));
}
