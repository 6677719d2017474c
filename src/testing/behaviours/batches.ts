import assert from 'node:assert/strict';
import type { Queryable } from '../../driver/index.ts';
import { ConstraintError, QueryExecutionError, UsageError } from '../../errors/index.ts';
import { sql } from '../../sql/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, countThings, rejection, thingNames } from './expectations.ts';

type Work = (place: Queryable) => Promise<unknown>;

/** A value that must not be seen. */
const CANARY = 'canary-6b1f';

export const BATCH_BEHAVIOURS: Behaviours = {
  'gives one result for each statement, in order (J6)': async ({ db }) => {
    const results = await db.batch([
      sql`insert into things (id, name) values (${1}, ${'a'}), (${2}, ${'b'})`,
      ['update things set size = :size where id = :id', { size: 5, id: 1 }],
      'select id, size from things order by id',
      "insert into things (id, name) values (3, 'c') returning id",
    ]);
    assert.deepEqual(
      results.map(({ rowsAffected, rows }) => [rowsAffected, rows]),
      [
        [2, []],
        [1, []],
        [
          0,
          [
            { id: 1, size: 5 },
            { id: 2, size: 0 },
          ],
        ],
        [1, [{ id: 3 }]],
      ],
    );
  },

  'without statements does nothing': async ({ db }) => {
    assert.deepEqual(await db.batch([]), []);
  },

  'is written as a whole or not at all (J6)': async ({ db }) => {
    await addThing(db, 5, 'taken');
    const items = [1, 2, 5, 6].map((id) => sql`insert into things (id, name) values (${id}, ${`n${id}`})`);
    const error = await rejection(db.batch(items), ConstraintError);
    assert.equal(error.kind, 'unique');
    assert.deepEqual(await thingNames(db), ['taken']);
  },

  'that fails says which of its statements did, to whoever listens too (J11)': async ({ db }) => {
    const insert = 'insert into things (id, name) values (:id, :name)';
    const items = [
      'select 1 as one',
      [insert, { id: 1, name: CANARY }] as const,
      [insert, { id: 2, name: CANARY }] as const,
    ];
    const told: unknown[] = [];
    const stop = db.on('query:error', ({ error }) => told.push(error));
    for (const within of [(work: Work) => work(db), (work: Work) => db.transaction(work)]) {
      const error = await rejection(
        within((place) => place.batch(items, { name: 'two' })),
        ConstraintError,
      );
      assert.match(error.message, /^Query "two": Statement 3 of the batch: /);
      assert.ok(error.sql?.startsWith('insert into things (id, name) values ('), error.sql);
      assert.ok(!error.message.includes(CANARY), error.message);
      assert.equal(error.queryName, 'two');
      assert.equal(told.pop(), error);
    }
    stop();
    const lost = await rejection(db.batch(['select 1 as one', 'select missing']), QueryExecutionError);
    assert.match(lost.message, /^Statement 2 of the batch: /);
    assert.equal(lost.sql, 'select missing');
    const twice = await rejection(db.batch(['select 1 as one', 'select 1 as a, 2 as a']), UsageError);
    assert.equal(twice.code, 'ERR_MILLPOND_DUPLICATE_COLUMN');
    assert.match(twice.message, /^Statement 2 of the batch: /);
  },

  'runs among other writes as if it were alone (B4)': async ({ db }) => {
    const calls: Promise<unknown>[] = [];
    for (let index = 0; index < 30; index += 1) {
      const [id, other] = [index * 10, index * 10 + 1];
      const clash = index % 3 === 0 ? id : other + 1;
      const insert = (key: number) =>
        sql`insert into things (id, name) values (${key}, ${`n${key}/${calls.length}`})`;
      calls.push(db.batch([insert(id), insert(other), insert(clash)]), db.run(insert(id + 5)));
    }
    const outcomes = await Promise.allSettled(calls);
    const failed = outcomes.filter(({ status }) => status === 'rejected').length;
    assert.equal(failed, 10);
    assert.equal(await countThings(db), 20 * 3 + 30);
  },

  'refuses a value in any statement before the first one runs': async ({ db }) => {
    const items = [
      'insert into things (id, name) values (1, :name)',
      'insert into things (id, name) values (2, :name)',
    ];
    const withNames = (names: unknown[]) =>
      items.map((text, index) => [text, { name: names[index] }] as const);
    await rejection(db.batch(withNames(['a', 'lone \uD800'])), UsageError);
    assert.equal(await countThings(db), 0);
    await db.batch(withNames(['a', 'b']));
    assert.deepEqual(await thingNames(db), ['a', 'b']);
  },

  'that fails in a transaction is undone alone, and the transaction goes on': async ({ db }) => {
    await db.transaction(async (tx) => {
      await addThing(tx, 1, 'a');
      const items = [2, 1].map((id) => sql`insert into things (id, name) values (${id}, ${`b${id}`})`);
      await rejection(tx.batch(items), ConstraintError);
      await addThing(tx, 3, 'c');
    });
    assert.deepEqual(await thingNames(db), ['a', 'c']);
  },

  'may be long': async ({ db }) => {
    const items = Array.from(
      { length: 1_500 },
      (_, id) => sql`insert into things (id, name) values (${id}, ${`n${id}`})`,
    );
    const results = await db.batch(items);
    assert.equal(results.length, 1_500);
    assert.equal(await countThings(db), 1_500);
  },
};
