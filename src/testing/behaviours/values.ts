import assert from 'node:assert/strict';
import { UsageError } from '../../errors/index.ts';
import type { Behaviours, Stage } from '../behaviour.ts';
import { parseJson, rejection, rowsOf } from './expectations.ts';

type Database = Stage['db'];

/** The kinds of columns that every engine has, under the engine's names for them. */
const COLUMN_TYPES = {
  whole: { sqlite: 'integer', postgres: 'bigint' },
  real: { sqlite: 'real', postgres: 'double precision' },
  text: { sqlite: 'text', postgres: 'text' },
  bytes: { sqlite: 'blob', postgres: 'bytea' },
} as const;

const ROUND_TRIPS: Readonly<Record<keyof typeof COLUMN_TYPES, readonly unknown[]>> = {
  whole: [
    null,
    0,
    1,
    -1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2n ** 53n,
    2n ** 63n - 1n,
    1n - 2n ** 63n,
  ],
  real: [null, 0, 0.5, -1.25, 1e300, 5e-324, Number.MAX_VALUE, Infinity, -Infinity],
  text: [
    null,
    '',
    'a',
    'ünï🌊',
    `' " \\ \t\r\n`,
    '\u2028\u0001\uFFFF',
    '007',
    '1e3',
    'null',
    'x'.repeat(100_000),
  ],
  bytes: [null, new Uint8Array(), new Uint8Array([0, 1, 127, 128, 255]), new Uint8Array(100_000).fill(7)],
};

async function createColumns(db: Database): Promise<void> {
  const columns = Object.entries(COLUMN_TYPES).map(([name, types]) => `"${name}" ${types[db.dialect]}`);
  await db.script(
    `drop table if exists held; create table held (id integer primary key, ${columns.join(', ')})`,
  );
}

/** The value of one row by every way in which rows are read. */
async function readEveryWay(db: Database, column: string, id: number): Promise<unknown[]> {
  const text = `select "${column}" as v from held where id = :id`;
  interface Row {
    readonly v: unknown;
  }
  const found = [await db.value(text, { id }), (await db.get<Row>(text, { id }))?.v];
  found.push((await db.all<Row>(text, { id }))[0]?.v, (await rowsOf(db.stream<Row>(text, { id })))[0]?.v);
  found.push((await db.batch<Row>([[text, { id }]]))[0]?.rows[0]?.v);
  found.push(await db.transaction((tx) => tx.value(text, { id }), { readOnly: true }));
  return found;
}

export const VALUE_BEHAVIOURS: Behaviours = {
  'comes back as it was bound, by whichever call (B17)': async ({ db }) => {
    await createColumns(db);
    let id = 0;
    for (const [column, values] of Object.entries(ROUND_TRIPS)) {
      for (const value of values) {
        id += 1;
        const text = `insert into held (id, "${column}") values (:id, :value) returning "${column}" as v`;
        assert.deepEqual(await db.value(text, { id, value }), value);
        for (const found of await readEveryWay(db, column, id)) assert.deepEqual(found, value);
      }
    }
    await db.run('drop table held');
  },

  'comes back the same in a large result, beside others of every kind': async ({ db }) => {
    await createColumns(db);
    const rows = Array.from({ length: 300 }, (_, index) => ({
      id: index,
      whole: ROUND_TRIPS.whole[index % ROUND_TRIPS.whole.length],
      real: ROUND_TRIPS.real[index % ROUND_TRIPS.real.length],
      text: ROUND_TRIPS.text[index % (ROUND_TRIPS.text.length - 1)],
      bytes: ROUND_TRIPS.bytes[index % (ROUND_TRIPS.bytes.length - 1)],
    }));
    const insert =
      'insert into held (id, whole, real, text, bytes) values (:id, :whole, :real, :text, :bytes)';
    await db.batch(rows.map((row) => [insert, row] as const));
    const text = 'select id, whole, "real", text, bytes from held order by id';
    assert.deepEqual(await db.all(text), rows);
    assert.deepEqual(await rowsOf(db.stream(text)), rows);
    await db.run('drop table held');
  },

  'that no engine can hold is refused, and named by its kind alone (B17, B18)': async ({ db }) => {
    const refused = [
      undefined,
      Symbol('hunter2'),
      () => 'hunter2',
      'hunter2\uD800',
      new Date(NaN),
      2n ** 63n,
    ];
    for (const value of refused) {
      const text = 'insert into things (id, name) values (1, :value)';
      const error = await rejection(db.run(text, { value }), UsageError);
      assert.doesNotMatch(error.message, /hunter2|9223372036854775808/);
    }
  },

  'of two columns of one name is refused: a row could hold only one of them (B17)': async ({ db }) => {
    const text = 'select 1 as a, 2 as a';
    const calls = [
      () => db.all(text),
      () => db.get(text),
      () => db.json(text),
      () => rowsOf(db.stream(text)),
      () => db.batch([text]),
    ];
    for (const call of calls) {
      const error = await rejection(call(), UsageError);
      assert.equal(error.code, 'ERR_MILLPOND_DUPLICATE_COLUMN');
    }
    assert.equal(await db.value(text), 1);
  },

  'stands where it belongs in a row of many columns (C60)': async ({ db }) => {
    const names = Array.from({ length: 500 }, (_, index) => `c${index}`);
    const columns = names.map((name, index) =>
      index % 2 === 0 ? `${index} as ${name}` : `'${index}' as ${name}`,
    );
    const text = `select ${columns.join(', ')}`;
    const row = Object.fromEntries(
      names.map((name, index) => [name, index % 2 === 0 ? index : String(index)]),
    );
    for (let round = 0; round < 4; round += 1) {
      assert.deepEqual(await db.get(text), row);
      assert.deepEqual(await db.all(`${text} union all ${text}`), [row, row]);
    }
    assert.deepEqual(await db.all(text), [row]);
    assert.deepEqual(await rowsOf(db.stream(text)), [row]);
    assert.deepEqual((await db.batch([text]))[0]?.rows, [row]);
    assert.deepEqual(parseJson(await db.json(text)), [row]);
  },

  'may stand under any column name (B17)': async ({ db }) => {
    const text =
      'select 1 as "__proto__", 2 as "constructor", 3 as "a b", 4 as "quoted""name", 5 as "toString"';
    const expected = [
      ['__proto__', 1],
      ['constructor', 2],
      ['a b', 3],
      ['quoted"name', 4],
      ['toString', 5],
    ];
    for (const row of [(await db.all(text))[0], await db.get(text), (await rowsOf(db.stream(text)))[0]]) {
      assert.deepEqual(Object.entries(row ?? {}), expected);
      assert.equal(Object.getPrototypeOf(row), Object.prototype);
    }
    const body = new TextDecoder().decode(await db.json(text));
    assert.ok(body.startsWith('[{"__proto__":1,'), body);
    assert.ok(parseJson(await db.json(text)));
  },
};
