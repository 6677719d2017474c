import { describe, expect, test } from 'vitest';
import type { Queryable } from '../../src/index.ts';
import { postgresScratch } from '../fixtures/postgres-database.ts';

const MOMENT = new Date(1_700_000_000_123);

/** docs/values.md, row by row: the column, what is bound, what is read back, and its place in `db.json()`. */
const KEPT: readonly (readonly [type: string, bound: unknown, read: unknown, json: unknown])[] = [
  ['int', null, null, null],
  ['int', 42, 42, 42],
  ['int', -0, 0, 0],
  ['smallint', -7, -7, -7],
  ['bigint', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['bigint', 7n, 7, 7],
  ['bigint', 2n ** 53n, 2n ** 53n, '9007199254740992'],
  ['bigint', 2n ** 63n - 1n, 2n ** 63n - 1n, '9223372036854775807'],
  ['bigint', -(2n ** 63n), -(2n ** 63n), '-9223372036854775808'],
  ['bigint', '12', 12, 12],
  ['float8', 0.1, 0.1, 0.1],
  ['float8', 5e-324, 5e-324, 5e-324],
  ['float8', Number.MAX_VALUE, Number.MAX_VALUE, Number.MAX_VALUE],
  ['float8', 2 ** 63, 2 ** 63, 2 ** 63],
  ['float8', -0, -0, -0],
  ['float8', NaN, NaN, 'NaN'],
  ['float8', Infinity, Infinity, 'Infinity'],
  ['float8', -Infinity, -Infinity, '-Infinity'],
  ['real', 0.5, 0.5, 0.5],
  [
    'numeric',
    '12345678901234567890.123456789',
    '12345678901234567890.123456789',
    '12345678901234567890.123456789',
  ],
  ['numeric(10, 2)', 1.5, '1.50', '1.50'],
  ['numeric', NaN, 'NaN', 'NaN'],
  ['bool', true, true, true],
  ['bool', false, false, false],
  ['text', '', '', ''],
  ['text', 'null', 'null', 'null'],
  ['text', '🌊𝕏 é', '🌊𝕏 é', '🌊𝕏 é'],
  ['text', `'"\\\r\n\t\u2028\u0001`, `'"\\\r\n\t\u2028\u0001`, `'"\\\r\n\t\u2028\u0001`],
  ['text', 5, '5', '5'],
  ['text', MOMENT, '2023-11-14T22:13:20.123Z', '2023-11-14T22:13:20.123Z'],
  ['varchar(5)', 'five5', 'five5', 'five5'],
  ['char(5)', 'ab', 'ab   ', 'ab   '],
  [
    'uuid',
    '00000000-0000-4000-8000-00000000000a',
    '00000000-0000-4000-8000-00000000000a',
    '00000000-0000-4000-8000-00000000000a',
  ],
  ['bytea', new Uint8Array(), new Uint8Array(), ''],
  ['bytea', new Uint8Array([0, 1, 254, 255]), new Uint8Array([0, 1, 254, 255]), 'AAH+/w=='],
  ['bytea', new Uint8Array([9, 1, 2, 9]).subarray(1, 3), new Uint8Array([1, 2]), 'AQI='],
  ['bytea', Buffer.from('hi'), new Uint8Array([104, 105]), 'aGk='],
  ['timestamptz', MOMENT, MOMENT, MOMENT.toISOString()],
  ['timestamptz', new Date(-62_135_596_800_000), new Date(-62_135_596_800_000), '0001-01-01T00:00:00.000Z'],
  [
    'timestamptz',
    new Date('-000043-03-15T12:00:00Z'),
    new Date('-000043-03-15T12:00:00Z'),
    '-000043-03-15T12:00:00.000Z',
  ],
  ['timestamptz', 'infinity', Infinity, 'Infinity'],
  ['timestamp', MOMENT, '2023-11-14 22:13:20.123', '2023-11-14 22:13:20.123'],
  ['date', '2026-02-28', '2026-02-28', '2026-02-28'],
  ['time', '12:34:56.789', '12:34:56.789', '12:34:56.789'],
  ['interval', '1 day 02:03:04', '1 day 02:03:04', '1 day 02:03:04'],
  ['json', { a: [1, null, 'x'] }, { a: [1, null, 'x'] }, { a: [1, null, 'x'] }],
  ['jsonb', { b: 'é "q"', a: 1.5 }, { a: 1.5, b: 'é "q"' }, { a: 1.5, b: 'é "q"' }],
  ['jsonb', '[1, 2]', [1, 2], [1, 2]],
  ['jsonb', 'null', null, null],
  ['int[]', [1, null, 3], [1, null, 3], [1, null, 3]],
  ['int[]', [], [], []],
  [
    'int[][]',
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['bigint[]', [1n, 2n ** 60n], [1, 2n ** 60n], [1, '1152921504606846976']],
  [
    'text[]',
    ['a', '', 'NULL', null, '"q"', 'b\\c', '{x,y}', ' s '],
    ['a', '', 'NULL', null, '"q"', 'b\\c', '{x,y}', ' s '],
    ['a', '', 'NULL', null, '"q"', 'b\\c', '{x,y}', ' s '],
  ],
  ['bool[]', [true, false], [true, false], [true, false]],
  ['float8[]', [0.5, NaN, -Infinity], [0.5, NaN, -Infinity], [0.5, 'NaN', '-Infinity']],
  ['bytea[]', [new Uint8Array([1, 255])], [new Uint8Array([1, 255])], ['Af8=']],
  ['timestamptz[]', [MOMENT], [MOMENT], [MOMENT.toISOString()]],
  ['jsonb[]', [{ a: 1 }], [{ a: 1 }], [{ a: 1 }]],
  ['mood', 'sad', 'sad', 'sad'],
];

const REFUSED: readonly (readonly [what: string, bound: unknown, message: string])[] = [
  ['2^53 as a number', 2 ** 53, 'an integer beyond'],
  ['2^63 as a bigint', 2n ** 63n, 'a bigint beyond 64 bits'],
  ['half of a pair', 'x\uD83C', 'a lone surrogate'],
  ['a string with NUL', 'a\0b', 'a NUL character'],
  ['an invalid Date', new Date(NaN), 'an invalid Date'],
  ['a Map', new Map(), 'an object (Map)'],
  ['other typed arrays', new Float64Array(1), 'an object (Float64Array)'],
  ['an object that holds itself', selfHolding(), 'an object without a JSON form'],
  ['an object with a bigint in it', { a: 1n }, 'an object without a JSON form'],
  ['a symbol in an array', [Symbol('s')], 'a symbol'],
  ['undefined in an array', [undefined], 'undefined'],
];

function selfHolding(): object {
  const held: { self?: object } = {};
  held.self = held;
  return held;
}

type Reader = (queryable: Queryable, text: string) => Promise<unknown>;

const READERS: Readonly<Record<string, Reader>> = {
  value: (queryable, text) => queryable.value(text),
  get: async (queryable, text) => (await queryable.get(text))!['v'],
  all: async (queryable, text) => (await queryable.all(text))[0]!['v'],
  arrays: async (queryable, text) => (await queryable.arrays(text))[0]![0],
  stream: async (queryable, text) => {
    for await (const { v } of queryable.stream(text)) return v;
    return undefined;
  },
  batch: async (queryable, text) => (await queryable.batch([text]))[0]!.rows[0]!['v'],
};

describe('a value on PostgreSQL (B17, C59)', () => {
  const scratch = postgresScratch("create type mood as enum ('sad', 'glad')");

  test.each(KEPT)('in a column of %s: %o', async (type, bound, expected, json) => {
    const { db } = scratch;
    await db.script(`drop table if exists held; create table held (id serial, v ${type})`);
    for (let round = 0; round < 3; round += 1) {
      const written = await db.value('insert into held (v) values (:v) returning v', { v: bound });
      expect(written, `round ${round}`).toStrictEqual(expected);
    }
    const text = 'select v from held order by id limit 1';
    // Several times each: known to be cheap, it runs elsewhere, and under a name.
    for (let round = 0; round < 3; round += 1) {
      for (const [by, read] of Object.entries(READERS)) {
        expect(await read(db, text), `${by} ${round}`).toStrictEqual(expected);
      }
      expect(JSON.parse(new TextDecoder().decode(await db.json(text)))).toStrictEqual([{ v: json }]);
    }
    await db.transaction(async (tx) => expect(await tx.value(text)).toStrictEqual(expected));
  });

  test.each(REFUSED)(
    '%s is refused before anything is sent, and named by its kind',
    async (_what, v, message) => {
      const { db } = scratch;
      const before = db.stats().queries.count;
      await expect(db.value('select :v::text', { v })).rejects.toMatchObject({
        name: 'UsageError',
        message: expect.stringContaining(message) as string,
      });
      expect(db.stats().queries.count).toBe(before);
    },
  );

  test('of many rows and kinds is the same by every call (C60)', async () => {
    const { db } = scratch;
    const text = `select i, i * 1.5::float8 as f, i % 2 = 0 as even, 'é' || i as t, case when i % 3 = 0 then null else i end as n
      from generate_series(1, 5000) i`;
    const rows = await db.all(text);
    expect(rows).toHaveLength(5_000);
    expect(rows[2999]).toStrictEqual({ i: 3_000, f: 4_500, even: true, t: 'é3000', n: null });
    expect(JSON.parse(new TextDecoder().decode(await db.json(text)))).toStrictEqual(rows);
    expect(await db.arrays(text)).toStrictEqual(rows.map((row) => Object.values(row)));
  });

  test('may be as large as a message is, in pieces of the network (C60)', async () => {
    const { db } = scratch;
    const large = 'é'.repeat(3_000_000);
    expect(await db.value('select :large::text', { large })).toBe(large);
    const bytes = new Uint8Array(5_000_000).map((_, index) => index);
    expect(await db.value('select :bytes::bytea', { bytes })).toStrictEqual(bytes);
  });

  test('of a row without columns, and of no row, is told from NULL', async () => {
    const { db } = scratch;
    expect(await db.all('select from generate_series(1, 2)')).toEqual([{}, {}]);
    expect(await db.value('select null')).toBeNull();
    expect(await db.value('select 1 where false')).toBeUndefined();
  });

  test('may be bound 65,535 times, and once more is refused (C62)', async () => {
    const { db } = scratch;
    const marks = (count: number) => Array.from({ length: count }, (_, index) => `$${index + 1}::int`);
    const values = (count: number) => Array.from({ length: count }, () => 1);
    const text = (count: number) => `select cardinality(array[${marks(count).join(',')}])`;
    expect(await db.value(text(65_535), values(65_535))).toBe(65_535);
    await expect(db.value(text(65_536), values(65_536))).rejects.toThrow(/65535|65,535/);
  });
});
