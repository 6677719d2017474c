import { describe, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';
import { scratchForAll } from '../fixtures/scratch-database.ts';
import { fc } from '../fixtures/property.ts';

/** What has upset something somewhere: a list of our own, in the manner of lists of naughty strings. */
const HOSTILE = [
  ...[
    '',
    ' ',
    '\0',
    '\0\0',
    'a\0',
    '\0a',
    '\r\n',
    '\t',
    '\u000b',
    '\u007f',
    '\u0085',
    '\u00a0',
    '\ufeff',
    '\u200b',
  ],
  ...[
    'null',
    'NULL',
    'undefined',
    'NaN',
    'Infinity',
    'true',
    'false',
    '0',
    '-0',
    '1e3',
    '0x10',
    '007',
    '1,000',
    '½',
  ],
  ...[
    "'",
    "''",
    '"',
    '""',
    '`',
    '\\',
    '\\\\',
    "\\'",
    '--',
    '/*',
    '*/',
    ';',
    '%',
    '_',
    '?',
    ':a',
    '$1',
    '@a',
    '#',
  ],
  ...[
    "' or 1=1 --",
    '"; drop table t; --',
    "x' || (select 1) || '",
    '${1}',
    '{{1}}',
    '<script>',
    '&amp;',
    '\\u0000',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '[object Object]', 'length'],
  ...[
    '🌊',
    '👩‍👩‍👧',
    '🇫🇷',
    'e\u0301',
    'é',
    'ﷺ',
    'ﬃ',
    'İı',
    'ß',
    '中文',
    'עברית',
    'العربية',
    '\u202e',
    '\u2066',
    '\ud7ff',
  ],
  ...[
    '\uffff',
    '\ufffe',
    '\ufffd',
    '\u{10ffff}',
    '\u{1f600}'.repeat(100),
    'x'.repeat(4_095),
    'x'.repeat(4_096),
    'x'.repeat(4_097),
  ],
];

interface Kept {
  readonly bound: unknown;
  readonly read: unknown;
}

const same = (bound: unknown): Kept => ({ bound, read: bound });
const wellFormed = fc.string({ unit: 'binary' });

const NUMBERS = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value)),
  fc.double({ min: 2 ** 63, noNaN: true }),
);
const STRINGS = fc.oneof(fc.constantFrom(...HOSTILE), wellFormed, fc.constantFrom('', 'x', 'xy'));

/** Any value, with what is to come back. */
const VALUES: fc.Arbitrary<Kept> = fc.oneof(
  fc.constant(same(null)),
  NUMBERS.map((value) => ({ bound: value, read: value === 0 ? 0 : value })),
  STRINGS.map(same),
  fc.boolean().map((value) => ({ bound: value, read: Number(value) })),
  fc
    .bigInt({ min: 1n - 2n ** 63n, max: 2n ** 63n - 1n })
    .map((value) => ({ bound: value, read: Number.isSafeInteger(Number(value)) ? Number(value) : value })),
  fc.uint8Array({ maxLength: 40 }).map((value) => ({ bound: value, read: new Uint8Array(value) })),
  fc.date({ noInvalidDate: true }).map((value) => ({ bound: value, read: value.toISOString() })),
);

const orNull = (kind: fc.Arbitrary<Kept>) =>
  fc.oneof({ arbitrary: kind, weight: 4 }, fc.constant(same(null)));
const NUMBER_COLUMN = orNull(NUMBERS.map((value) => ({ bound: value, read: value === 0 ? 0 : value })));
const STRING_COLUMN = orNull(STRINGS.map(same));

function tableOf(columns: readonly fc.Arbitrary<Kept>[], minLength: number, maxLength: number) {
  return fc
    .array(fc.constantFrom(...columns), { minLength: 1, maxLength: 5 })
    .chain((kinds) => fc.array(fc.tuple(...kinds), { minLength, maxLength }));
}

/** Of anything, and of columns of one kind as most tables have them: they take another way to the caller. */
const TABLES = fc.oneof(
  tableOf([VALUES, NUMBER_COLUMN, STRING_COLUMN], 1, 40),
  tableOf([NUMBER_COLUMN, STRING_COLUMN], 10, 60),
);

type Reads = Readonly<Record<string, (db: Database, text: string) => Promise<unknown>>>;

const READS: Reads = {
  all: (db, text) => db.all(text),
  stream: async (db, text) => {
    const rows: unknown[] = [];
    for await (const row of db.stream(text)) rows.push(row);
    return rows;
  },
  batch: async (db, text) => (await db.batch([text]))[0]!.rows,
  transaction: (db, text) => db.transaction((tx) => tx.all(text), { readOnly: true }),
};

function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value === Infinity || value === -Infinity ? String(value) : value;
}

describe.each([
  ['inline reads', {}],
  ['every read in a worker', { inlineReads: false }],
  ['one connection', { pooled: false }],
])('with %s', (_, options) => {
  const scratch = scratchForAll('create table held (id integer primary key, a, b, c, d, e)', options);

  async function holds(rows: readonly (readonly Kept[])[]): Promise<void> {
    const { db } = scratch;
    const names = ['a', 'b', 'c', 'd', 'e'].slice(0, rows[0]!.length);
    const insert = `insert into held (${names.join()}) values (${names.map(() => '?').join()})`;
    await db.run('delete from held');
    await db.batch(rows.map((row) => [insert, row.map(({ bound }) => bound)] as const));
    const expected = rows.map((row) =>
      Object.fromEntries(row.map(({ read }, index) => [names[index]!, read])),
    );
    const text = `select ${names.join()} from held order by id`;
    for (const [by, read] of Object.entries(READS)) {
      expect(await read(db, text), by).toStrictEqual(expected);
    }
    const body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await db.json(text))) as unknown;
    const inJson = expected.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toJson(value)])),
    );
    expect(body).toStrictEqual(inJson);
    const [first] = expected;
    expect(await db.get(text)).toStrictEqual(first);
    expect(await db.value(text)).toStrictEqual(first!['a']);
  }

  test(
    'tables of any values are read back as they were bound (C59)',
    () => fc.assert(fc.asyncProperty(TABLES, holds), { numRuns: scaled(80) }),
    scaledTimeoutMs(),
  );
});

describe('hostile strings', () => {
  const scratch = scratchForAll('create table held (id integer primary key, a)');

  test.each(HOSTILE.map((text) => [JSON.stringify(text.slice(0, 40)), text]))(
    '%s: bound, compared, concatenated and made a column name (C59)',
    async (_, text) => {
      const { db } = scratch;
      const id = await db.value('insert into held (a) values (:text) returning id', { text });
      expect(await db.value('select a from held where a = :text and id = :id', { text, id })).toBe(text);
      expect(await db.value("select :text || '!'", { text })).toBe(`${text}!`);
      if (text === '' || text.includes('\0')) return;
      const name = `"${text.replaceAll('"', '""')}"`;
      const rows = [await db.get(`select 1 as ${name}`), (await db.all(`select 1 as ${name}`))[0]];
      for (const row of rows) expect(Object.entries(row!)).toEqual([[text, 1]]);
      expect(new TextDecoder().decode(await db.json(`select 1 as ${name}`))).toBe(
        `[{${JSON.stringify(text)}:1}]`,
      );
    },
  );
});
