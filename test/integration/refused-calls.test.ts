import { expect, test } from 'vitest';
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
