import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { ConstraintError, QueryExecutionError } from '../../errors/index.ts';
import { sql } from '../../sql/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, CALLS, countThings, rejection, thingNames } from './expectations.ts';

const CANARY = 'hunter2-and-nobody-else';

export const FAILURE_BEHAVIOURS: Behaviours = {
  'says which constraint a write broke, and where the engine knows it, of which columns (J11)': async ({
    db,
  }) => {
    await addThing(db, 1, 'taken');
    const unique = await rejection(addThing(db, 2, 'taken'), ConstraintError);
    assert.equal(unique.kind, 'unique');
    assert.deepEqual([unique.table, unique.columns], ['things', ['name']]);
    const primary = await rejection(addThing(db, 1, 'other'), ConstraintError);
    assert.equal(primary.kind, 'unique');
    const missing = await rejection(
      db.run('insert into things (id, name) values (3, null)'),
      ConstraintError,
    );
    assert.equal(missing.kind, 'not-null');
    assert.deepEqual([missing.table, missing.columns], ['things', ['name']]);
    const check = await rejection(
      db.run("insert into things (id, name, size) values (3, 'c', -1)"),
      ConstraintError,
    );
    assert.equal(check.kind, 'check');
    const orphan = await rejection(
      db.run('insert into parts (id, thing_id) values (1, 99)'),
      ConstraintError,
    );
    assert.equal(orphan.kind, 'foreign-key');
    assert.deepEqual(await thingNames(db), ['taken']);
  },

  'of the SQL itself carries its text and the name that the caller gave it': async ({ db }) => {
    for (const text of [
      'selec 1',
      'select missing from nowhere',
      'insert into things (missing) values (1)',
    ]) {
      for (const [kind, call] of Object.entries(CALLS)) {
        const error = await rejection(call(db, text, { name: 'lost' }), QueryExecutionError);
        assert.equal(error.code, 'ERR_MILLPOND_QUERY', kind);
        assert.ok(error.cause instanceof Error, kind);
        assert.deepEqual([error.sql, error.queryName], [text, 'lost'], kind);
      }
    }
  },

  'shows in its stack who awaits the call, wherever the answer came from': async ({ db }) => {
    await addThing(db, 1, 'taken');
    const repository = {
      async addTwice(): Promise<void> {
        await db.run("insert into things (id, name) values (2, 'taken')");
      },
    };
    const calls = [
      () => repository.addTwice(),
      () => db.transaction(async () => await repository.addTwice()),
    ];
    for (const call of calls) {
      const { stack, message } = await rejection(call(), ConstraintError);
      assert.ok(stack !== undefined && stack.startsWith(`ConstraintError: ${message}`), stack);
      assert.ok(stack.includes('addTwice'), stack);
    }
  },

  'holds no bound value, wherever one looks in it (B18)': async ({ db }) => {
    await addThing(db, 1, CANARY);
    const failing = [
      () => addThing(db, 2, CANARY),
      () => db.run(sql`insert into things (id, name, size) values (3, ${CANARY}, ${-1})`),
      () => db.run(sql`insert into things (id, name) values (${CANARY}, 'x')`),
      () => db.all(sql`select missing from things where name = ${CANARY}`),
      () => db.batch([sql`insert into things (id, name) values (4, ${CANARY})`]),
      () => db.json(sql`select missing from things where name = ${CANARY}`),
      () => db.transaction((tx) => tx.run(sql`insert into things (id, name) values (5, ${CANARY})`)),
    ];
    for (const call of failing) {
      const error = await rejection(call(), QueryExecutionError);
      // The stack too: but what it repeats of this file is text of the caller's own.
      const shown = inspect(Object.assign({}, error, { message: error.message, cause: error.cause }), {
        depth: 9,
        showHidden: true,
      });
      assert.ok(!shown.includes(CANARY), shown);
    }
  },

  'undoes all of its own statement, and nothing else': async ({ db }) => {
    await addThing(db, 3, 'there');
    const text = "insert into things (id, name) values (1, 'a'), (2, 'b'), (3, 'c')";
    await rejection(db.run(text), ConstraintError);
    await rejection(db.all(`${text} returning id`), ConstraintError);
    assert.deepEqual(await thingNames(db), ['there']);
  },

  'of one call does not touch the calls beside it (B4)': async ({ db }) => {
    await addThing(db, 0, 'taken');
    const calls = Array.from({ length: 60 }, (_, index) =>
      addThing(db, index + 1, index % 3 === 0 ? 'taken' : `n${index}`),
    );
    const outcomes = await Promise.allSettled(calls);
    for (const [index, outcome] of outcomes.entries()) {
      assert.equal(outcome.status, index % 3 === 0 ? 'rejected' : 'fulfilled', `call ${index}`);
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ConstraintError);
    }
    assert.equal(await countThings(db), 41);
  },

  'is told to whoever calls, for each of the same calls made at once': async ({ db }) => {
    const calls = Array.from({ length: 20 }, () =>
      rejection(db.all('select missing from nowhere'), QueryExecutionError),
    );
    const errors = await Promise.all(calls);
    assert.equal(new Set(errors).size, 20);
  },
};
