import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/index.ts';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';

test.each([
  ['a write', 'insert into t values (?)'],
  ['a read', 'select ?'],
])(
  '%s that is refused before it is sent gives back the connection it was to run on (B11)',
  async (_, text) => {
    const { db } = await openScratch('create table t (x)');
    for (let round = 0; round < 3; round += 1) {
      await expect(db.run(text, [NaN])).rejects.toMatchObject({ code: 'ERR_MILLPOND_VALUE' });
      await expectAtRest(db);
    }
  },
);

test('a batch with one value that cannot be bound leaves its texts usable', async () => {
  const { db } = await openScratch('create table t (x)');
  const refused = db.batch([
    ['select 1 as a', []],
    ['select ? as b', [NaN]],
  ]);
  await expect(refused).rejects.toMatchObject({ code: 'ERR_MILLPOND_VALUE' });
  const results = await db.batch([
    ['select 1 as a', []],
    ['select ? as b', [2]],
  ]);
  expect(results.map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ b: 2 }]]);
});

test.each([
  ['a transferred', () => transferred(new Uint8Array(4))],
  ['a cut', () => cut()],
])('%s buffer is refused, and nobody else notices (B17, B13)', async (_, bytes) => {
  const { db } = await openScratch('create table t (x)');
  const neighbour = db.value('select 1');
  await expect(db.run('insert into t values (?)', [bytes()])).rejects.toMatchObject({
    code: 'ERR_MILLPOND_VALUE',
    message: expect.stringContaining('buffer was transferred or cut') as string,
  });
  expect(await neighbour).toBe(1);
  await expectAtRest(db);
});

function transferred(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function cut(): Uint8Array {
  const buffer = new ArrayBuffer(4, { maxByteLength: 8 });
  const bytes = new Uint8Array(buffer, 0, 4);
  buffer.resize(2);
  return bytes;
}

test('duplicate columns are refused by the same code wherever the statement runs', async () => {
  const { db } = await openScratch('create table t (x)');
  const text = 'select 1 as a, 2 as a';
  const refused = { name: 'UsageError', code: 'ERR_MILLPOND_DUPLICATE_COLUMN' };
  for (let round = 0; round < 6; round += 1) await expect(db.all(text)).rejects.toMatchObject(refused);
  await expect(db.get(text)).rejects.toMatchObject(refused);
  await expect(db.json(text)).rejects.toMatchObject(refused);
  await expect(db.batch([text])).rejects.toMatchObject(refused);
  await expect(db.stream(text).next()).rejects.toMatchObject(refused);
});

test('lastInsertId is a number where a number holds it, whatever else the statement gives', async () => {
  const { db } = await openScratch('create table t (id integer primary key, x)');
  expect(await db.run('insert into t (x) values (1) returning id')).toEqual({
    rowsAffected: 1,
    lastInsertId: 1,
  });
  expect(await db.run('insert into t (id) values (?)', [2n ** 53n])).toEqual({
    rowsAffected: 1,
    lastInsertId: 2n ** 53n,
  });
});

test('streams that fail one after another use up nothing (B11)', async () => {
  const { db } = await openScratch('create table t (x)', { pool: { max: 1 } });
  for (let round = 0; round < 80; round += 1) {
    const failing = db.stream('select abs(-9223372036854775807 - 1)').next();
    await expect(failing).rejects.toThrow('integer overflow');
  }
  await expectAtRest(db);
});

test('columns that become equal under a text are refused from the next call on (B17)', async () => {
  const { db } = await openScratch(
    'create table a (x); create table b (y); insert into a values (1); insert into b values (2);',
  );
  const text = 'select * from a, b';
  for (let round = 0; round < 6; round += 1) expect(await db.all(text)).toEqual([{ x: 1, y: 2 }]);
  await db.get(text);
  await db.json(text);
  await db.run('alter table b rename column y to x');
  const refused = { code: 'ERR_MILLPOND_DUPLICATE_COLUMN' };
  await expect(db.json(text)).rejects.toMatchObject(refused);
  await expect(db.all(text)).rejects.toMatchObject(refused);
  await expect(db.stream(text).next()).rejects.toMatchObject(refused);
  await expect(db.transaction((tx) => tx.get(text), { readOnly: true })).rejects.toMatchObject(refused);
});

test('a batch says which of its statements failed, and a wrong one beside a good one too (J11)', async () => {
  const { db } = await openScratch('create table t (x unique)');
  const insert = 'insert into t values (?)';
  const run = (batch: { batch: typeof db.batch }) =>
    batch.batch([
      [insert, [1]],
      [insert, ['secret']],
      [insert, ['secret']],
    ]);
  const expected = {
    code: 'ERR_MILLPOND_CONSTRAINT',
    sql: insert,
    message: 'Statement 3 of the batch: UNIQUE constraint failed: t.x',
  };
  await expect(run(db)).rejects.toMatchObject(expected);
  await expect(db.transaction((tx) => run(tx))).rejects.toMatchObject(expected);
  await expect(db.batch(['select 1 as a', 'select 1 as b, 2 as b'])).rejects.toMatchObject({
    code: 'ERR_MILLPOND_DUPLICATE_COLUMN',
    message: expect.stringMatching(/^Statement 2 of the batch: Two result columns/) as string,
  });
  await expect(db.batch(['select 1', 'select missing'], { name: 'both' })).rejects.toMatchObject({
    message: 'Query "both": Statement 2 of the batch: no such column: missing',
  });
  expect(await db.value('select count(*) from t')).toBe(0);
});

test('a write where only reads are allowed says so, and not what SQLite calls it (J5)', async () => {
  const { db, path } = await openScratch('create table t (x)');
  const write = () => db.run('insert into t values (1)');
  const message = 'The statement writes, and it is in a transaction, or on a database, with readOnly: true.';
  await expect(db.transaction(write, { readOnly: true })).rejects.toMatchObject({ message });
  await expect(
    openDatabase(`${path}.none.db`, { name: false, readOnly: true, log: 'silent' }),
  ).rejects.toThrow(`There is no file at ${path}.none.db, and with readOnly: true none is made.`);
});

test('a transaction without a function is refused before it begins', async () => {
  const { db } = await openScratch('create table t (x)');
  const started = db.stats().transactions.started;
  for (const wrong of ['begin', undefined, { readOnly: true }]) {
    await expect(db.transaction(wrong as never)).rejects.toThrow('transaction() takes a function');
    await expect(db.transaction((tx) => tx.transaction(wrong as never))).rejects.toThrow('takes a function');
  }
  expect(db.stats().transactions.started - started).toBe(3);
});

test('an opening with something else than options behind the address is refused', async () => {
  for (const wrong of [5, 'read only', null]) {
    const opening = openDatabase('sqlite::memory:', wrong as never);
    await expect(opening).rejects.toThrow('a URL and an object with options');
  }
});

test('a backup that cannot be where it is to be is refused before anything is copied', async () => {
  const { db, path } = await openScratch('create table t (x)');
  const folder = dirname(path);
  const reasons: readonly [target: string, reason: string][] = [
    [path, 'onto itself'],
    [join(folder, 'none', 'copy.db'), `There is no folder ${join(folder, 'none')}`],
    [join(path, 'copy.db'), `There is no folder ${path}`],
    [folder, 'A backup is a file'],
  ];
  for (const [target, reason] of reasons)
    await expect(db.backup(target, { overwrite: true })).rejects.toThrow(reason);
  await db.backup(join(folder, 'copy.db'));
  await expect(db.backup(join(folder, 'copy.db'))).rejects.toThrow('There is a file at');
  expect(readdirSync(folder).filter((name) => name.includes('copy') || name.includes('unfinished'))).toEqual([
    'copy.db',
  ]);
});
