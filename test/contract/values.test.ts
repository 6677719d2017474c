import { describe, expect, test } from 'vitest';
import type { Database, Queryable } from '../../src/index.ts';
import { scratchForAll } from '../fixtures/scratch-database.ts';

/** docs/values.md, row by row: what is bound, what is read back, and its place in the body of `db.json()`. */
const KEPT: readonly (readonly [what: string, bound: unknown, read: unknown, json: unknown])[] = [
  ['null', null, null, null],
  ['zero', 0, 0, 0],
  ['minus zero', -0, 0, 0],
  ['a whole number', 42, 42, 42],
  ['the largest safe integer', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['the smallest safe integer', Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  ['a fraction', 0.1, 0.1, 0.1],
  ['the smallest number', 5e-324, 5e-324, 5e-324],
  ['the largest number', Number.MAX_VALUE, Number.MAX_VALUE, Number.MAX_VALUE],
  ['2^63 as a number', 2 ** 63, 2 ** 63, 2 ** 63],
  ['-2^63 as a number', -(2 ** 63), -(2 ** 63), -(2 ** 63)],
  ['Infinity', Infinity, Infinity, 'Infinity'],
  ['-Infinity', -Infinity, -Infinity, '-Infinity'],
  ['a small bigint', 7n, 7, 7],
  ['2^53 as a bigint', 2n ** 53n, 2n ** 53n, '9007199254740992'],
  ['-2^53 - 1 as a bigint', -(2n ** 53n) - 1n, -(2n ** 53n) - 1n, '-9007199254740993'],
  ['the largest integer', 2n ** 63n - 1n, 2n ** 63n - 1n, '9223372036854775807'],
  ['the smallest integer but one', 1n - 2n ** 63n, 1n - 2n ** 63n, '-9223372036854775807'],
  ['true', true, 1, 1],
  ['false', false, 0, 0],
  ['an empty string', '', '', ''],
  ['a string of digits', '007', '007', '007'],
  ['a string with NUL in the middle', 'a\0b', 'a\0b', 'a\0b'],
  ['a string of NUL', '\0', '\0', '\0'],
  ['a string beyond the BMP', '🌊𝕏', '🌊𝕏', '🌊𝕏'],
  [
    'quotes and control characters',
    `'"\\\r\n\t\u2028\u0001`,
    `'"\\\r\n\t\u2028\u0001`,
    `'"\\\r\n\t\u2028\u0001`,
  ],
  ['a long string', 'é'.repeat(5_000), 'é'.repeat(5_000), 'é'.repeat(5_000)],
  ['no bytes', new Uint8Array(), new Uint8Array(), ''],
  ['bytes', new Uint8Array([0, 1, 254, 255]), new Uint8Array([0, 1, 254, 255]), 'AAH+/w=='],
  ['a part of a buffer', new Uint8Array([9, 1, 2, 9]).subarray(1, 3), new Uint8Array([1, 2]), 'AQI='],
  ['a Buffer', Buffer.from('hi'), new Uint8Array([104, 105]), 'aGk='],
  ['shared bytes', new Uint8Array(new SharedArrayBuffer(2)).fill(3), new Uint8Array([3, 3]), 'AwM='],
  ['a moment', new Date(1_700_000_000_123), '2023-11-14T22:13:20.123Z', '2023-11-14T22:13:20.123Z'],
];

const REFUSED: readonly (readonly [what: string, bound: unknown, message: string])[] = [
  ['NaN', NaN, 'NaN'],
  ['2^53 as a number', 2 ** 53, 'an integer beyond'],
  ['-2^62 as a number', -(2 ** 62), 'an integer beyond'],
  ['2^63 as a bigint', 2n ** 63n, 'a bigint beyond 64 bits'],
  ['-2^63 - 1 as a bigint', -(2n ** 63n) - 1n, 'a bigint beyond 64 bits'],
  ['the first half of a pair', 'x\uD83C', 'a lone surrogate'],
  ['the second half of a pair', '\uDF0Ax', 'a lone surrogate'],
  ['an invalid Date', new Date(NaN), 'an invalid Date'],
  ['undefined', undefined, 'undefined'],
  ['a function', () => 1, 'a function'],
  ['a symbol', Symbol('s'), 'a symbol'],
  ['an array', [1], 'an array'],
  ['an object', { a: 1 }, 'an object (Object)'],
  ['an object without a prototype', Object.create(null), 'no constructor'],
  ['a Map', new Map(), 'an object (Map)'],
  ['other typed arrays', new Float64Array(1), 'an object (Float64Array)'],
  ['an ArrayBuffer', new ArrayBuffer(1), 'an object (ArrayBuffer)'],
];

type Reader = (queryable: Queryable, text: string, id: number) => Promise<unknown>;

const READERS: Readonly<Record<string, Reader>> = {
  value: (queryable, text, id) => queryable.value(text, { id }),
  get: async (queryable, text, id) => (await queryable.get(text, { id }))!['v'],
  all: async (queryable, text, id) => (await queryable.all(text, { id }))[0]!['v'],
  stream: async (queryable, text, id) => {
    for await (const { v } of queryable.stream(text, { id })) return v;
    return undefined;
  },
  batch: async (queryable, text, id) => (await queryable.batch([[text, { id }]]))[0]!.rows[0]!['v'],
};

/** Ways of binding that give the value back by RETURNING. */
const WRITERS: Readonly<Record<string, (queryable: Queryable, v: unknown) => Promise<unknown>>> = {
  value: (queryable, v) => queryable.value('insert into held (v) values (:v) returning v', { v }),
  get: async (queryable, v) =>
    (await queryable.get('insert into held (v) values (:v) returning v', { v }))!['v'],
  all: async (queryable, v) =>
    (await queryable.all('insert into held (v) values (?) returning v', [v]))[0]!['v'],
  batch: async (queryable, v) => {
    const [result] = await queryable.batch([['insert into held (v) values (:v) returning v', { v }]]);
    return result!.rows[0]!['v'];
  },
  stream: async (queryable, v) => {
    for await (const row of queryable.stream('insert into held (v) values (:v) returning v', { v }))
      return row['v'];
    return undefined;
  },
  json: async (queryable, v) => {
    await queryable.json('insert into held (v) values (:v) returning v', { v });
    return queryable.value('select v from held order by rowid desc limit 1');
  },
  run: async (queryable, v) => {
    const { lastInsertId } = await queryable.run('insert into held (v) values (:v)', { v });
    return queryable.value('select v from held where rowid = ?', [lastInsertId]);
  },
};

/** Everything that has the calls of a `Queryable`. */
const PLACES: Readonly<
  Record<string, <T>(db: Database, work: (queryable: Queryable) => Promise<T>) => Promise<T>>
> = {
  'on the database': (db, work) => work(db),
  'in a transaction': (db, work) => db.transaction((tx) => work(tx)),
  'in a savepoint': (db, work) => db.transaction((tx) => tx.transaction((inner) => work(inner))),
  'on a lease': async (db, work) => {
    await using lease = await db.acquire();
    return await work(lease.connection);
  },
};

function parse(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
}

describe.each([
  ['inline reads', { inlineReads: true }],
  ['every read in a worker', { inlineReads: false }],
  ['one connection', { pooled: false }],
])('with %s', (_, options) => {
  const scratch = scratchForAll('create table held (v)', options);

  describe.each(KEPT)('%s', (_what, bound, expected, json) => {
    test.each(Object.keys(PLACES))('is written and read back %s', async (place) => {
      await PLACES[place]!(scratch.db, async (queryable) => {
        for (const [by, write] of Object.entries(WRITERS)) {
          expect(await write(queryable, bound), `written by ${by}`).toStrictEqual(expected);
        }
        const { lastInsertId } = await queryable.run('insert into held (v) values (?)', [bound]);
        const id = lastInsertId as number;
        const text = 'select v from held where rowid = :id';
        for (const [by, read] of Object.entries(READERS)) {
          expect(await read(queryable, text, id), `read by ${by}`).toStrictEqual(expected);
        }
        expect(parse(await queryable.json(text, { id }))).toStrictEqual([{ v: json }]);
      });
    });
  });

  test.each(REFUSED)('%s is refused by every call, and named by its kind', async (_what, bound, message) => {
    const before = await scratch.db.value('select count(*) from held');
    for (const [place, perform] of Object.entries(PLACES)) {
      await perform(scratch.db, async (queryable) => {
        for (const [by, write] of Object.entries(WRITERS)) {
          await expect(write(queryable, bound), `${place} by ${by}`).rejects.toMatchObject({
            name: 'UsageError',
            code: expect.stringMatching(/^ERR_MILLPOND_(VALUE|USAGE)$/) as string,
            message: expect.stringContaining(message) as string,
          });
        }
      });
    }
    expect(await scratch.db.value('select count(*) from held')).toBe(before);
  });
});

describe('with inline reads', () => {
  const scratch = scratchForAll('create table held (v)');

  test.each(KEPT)('%s is read back on the calling thread too', async (_what, bound, expected) => {
    const { db } = scratch;
    const { lastInsertId } = await db.run('insert into held (v) values (?)', [bound]);
    const inline = () => db.stats().sqlite!['inline'];
    for (const [by, read] of Object.entries({
      value: READERS['value']!,
      get: READERS['get']!,
      all: READERS['all']!,
    })) {
      const enough = inline() + 3;
      // On a busy machine a read may be slow now and then, and is sent to the workers for a while.
      for (let round = 0; round < 1_000 && inline() < enough; round += 1) {
        const found = await read(db, 'select v from held where rowid = :id', lastInsertId as number);
        expect(found, by).toStrictEqual(expected);
      }
      expect(inline(), by).toBeGreaterThanOrEqual(enough);
    }
  });
});

describe('the type of a column', () => {
  const scratch = scratchForAll('create table held (v)');
  const BYTES = new Uint8Array([1]);

  test.each([
    ['integer', [5, 1.5, 2n ** 53n + 1n, Infinity, 7, 'a', BYTES]],
    ['numeric', [5, 1.5, 2n ** 53n + 1n, Infinity, 7, 'a', BYTES]],
    ['real', [5, 1.5, 9_007_199_254_740_992, Infinity, 7, 'a', BYTES]],
    ['text', ['5', '1.5', '9007199254740993', 'Inf', '007', 'a', BYTES]],
    ['blob', [5, 1.5, 2n ** 53n + 1n, Infinity, '007', 'a', BYTES]],
    ['', [5, 1.5, 2n ** 53n + 1n, Infinity, '007', 'a', BYTES]],
  ])('"%s" converts as docs/values.md says', async (type, expected) => {
    const { db } = scratch;
    await db.script(`drop table if exists typed; create table typed (v ${type})`);
    for (const v of [5, 1.5, 2n ** 53n + 1n, Infinity, '007', 'a', BYTES]) {
      await db.run('insert into typed values (?)', [v]);
    }
    const rows = await db.all<{ v: unknown }>('select v from typed order by rowid');
    expect(rows.map(({ v }) => v)).toStrictEqual(expected);
  });

  test('is kept to by a STRICT table', async () => {
    const { db } = scratch;
    await db.script('create table strict_one (i integer, b blob, a any) strict');
    await expect(db.run("insert into strict_one (i) values ('a')")).rejects.toMatchObject({ kind: 'check' });
    await expect(db.run('insert into strict_one (b) values (?)', ['a'])).rejects.toMatchObject({
      kind: 'check',
    });
    expect(await db.value('insert into strict_one (a) values (?) returning a', ['007'])).toBe('007');
  });
});

describe('what SQLite itself makes', () => {
  const scratch = scratchForAll('create table held (v)');

  test('of a bound whole number is an integer, and of a fraction a real', async () => {
    const { db } = scratch;
    const types = await db.get("select typeof(?) a, typeof(?) b, typeof(?) c, ? || '' d", [5, 0.5, true, 5]);
    expect(types).toEqual({ a: 'integer', b: 'real', c: 'integer', d: '5' });
  });

  test('of -2^63 comes as that value, by a number or a bigint', async () => {
    const { db } = scratch;
    await db.run('insert into held (v) values (?)', [-(2n ** 63n)]);
    for (let round = 0; round < 6; round += 1) {
      const found = await db.value('select v from held');
      expect(BigInt(found as number)).toBe(-(2n ** 63n));
    }
  });

  test('of bytes that are no UTF-8, read as text, has U+FFFD in their place', async () => {
    expect(await scratch.db.value("select cast(x'41ff42' as text)")).toBe('A\uFFFDB');
  });

  test('of a string with NUL is whole, though its own length() is not', async () => {
    const { db } = scratch;
    expect(
      await db.get("select length(:v) n, :v || '!' v, :v = 'a' || char(0) || 'b' e", { v: 'a\0b' }),
    ).toEqual({
      n: 1,
      v: 'a\0b!',
      e: 1,
    });
  });
});

describe('a row', () => {
  const scratch = scratchForAll('create table held (v)');

  test('of columns whose names are whole numbers keeps their order in the body of json()', async () => {
    const { db } = scratch;
    const text = 'select 1 as b, 2 as "1", 3 as a';
    expect(Object.keys((await db.get(text))!)).toEqual(['1', 'b', 'a']);
    expect(new TextDecoder().decode(await db.json(text))).toBe('[{"b":1,"1":2,"a":3}]');
  });

  test('may have 2,000 columns (C60)', async () => {
    const { db } = scratch;
    const columns = Array.from({ length: 2_000 }, (_, index) => `${index} as c${index}`);
    const expected = Object.fromEntries(columns.map((_, index) => [`c${index}`, index]));
    for (let round = 0; round < 5; round += 1)
      expect(await db.get(`select ${columns.join()}`)).toEqual(expected);
    expect(parse(await db.json(`select ${columns.join()}`))).toEqual([expected]);
  });

  test('may be bound from 32,766 parameters, and one more is refused (C62)', async () => {
    const { db } = scratch;
    const values = (count: number) => Array.from({ length: count }, (_, index) => index);
    const sum = (count: number) =>
      db.value(
        `select ${values(count)
          .map(() => '?')
          .join('+')}`,
        values(count),
      );
    // Deeper expressions than SQLite's own limit: https://sqlite.org/limits.html#max_expr_depth
    await expect(sum(5_000)).rejects.toMatchObject({ name: 'QueryExecutionError' });
    const isIn = (count: number) =>
      `select ? in (${values(count - 1)
        .map(() => '?')
        .join()})`;
    expect(await db.value(isIn(32_766), values(32_766))).toBe(0);
    await expect(db.value(isIn(32_767), values(32_767))).rejects.toMatchObject({
      name: 'QueryExecutionError',
    });
  });
});
