import assert from 'node:assert/strict';
import { UsageError } from '../../errors/index.ts';
import { sql } from '../../sql/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, countThings, parseJson, rejection, rowsOf, thingNames } from './expectations.ts';

const HOSTILE = [
  `'; drop table things; --`,
  `" or "1"="1`,
  '?',
  ':name',
  '$1',
  '\\',
  `''`,
  '%_',
  '/* */',
  '-- ',
];

export const PARAMETER_BEHAVIOURS: Behaviours = {
  'are given by name, each as often as the text names it': async ({ db }) => {
    await addThing(db, 1, 'a');
    await addThing(db, 2, 'b');
    const text = 'select id from things where name = :name or (id = :id and name <> :name) order by id';
    assert.deepEqual(await db.all(text, { name: 'a', id: 2 }), [{ id: 1 }, { id: 2 }]);
  },

  'are given by position': async ({ db }) => {
    const [first, second] = db.dialect === 'sqlite' ? ['?', '?'] : ['$1', '$2'];
    await db.run(`insert into things (id, name) values (${first}, ${second})`, [1, 'a']);
    assert.equal(await db.value(`select name from things where id = ${first}`, [1]), 'a');
  },

  'are given by a template, with fragments, names and lists': async ({ db }) => {
    for (const id of [1, 2, 3]) await addThing(db, id);
    const isWanted = sql`${sql.id('id')} in (${sql.join([1, 3])})`;
    const rows = await db.all(
      sql`select id from ${sql.id('things')} where ${isWanted} and size < ${5} order by id`,
    );
    assert.deepEqual(rows, [{ id: 1 }, { id: 3 }]);
  },

  'are given to every kind of call': async ({ db }) => {
    await addThing(db, 7, 'seven');
    const text = 'select id from things where name = :name';
    const params = { name: 'seven' };
    assert.deepEqual(await db.all(text, params), [{ id: 7 }]);
    assert.deepEqual(await db.get(text, params), { id: 7 });
    assert.equal(await db.value(text, params), 7);
    assert.deepEqual(parseJson(await db.json(text, params)), [{ id: 7 }]);
    assert.deepEqual(await rowsOf(db.stream(text, params)), [{ id: 7 }]);
    assert.deepEqual((await db.batch([[text, params]]))[0]?.rows, [{ id: 7 }]);
    assert.equal((await db.run('delete from things where name = :name', params)).rowsAffected, 1);
  },

  'never become part of the text (B18)': async ({ db }) => {
    for (const [index, name] of HOSTILE.entries()) {
      await addThing(db, index, name);
      assert.equal(await db.value(sql`select id from things where name = ${name}`), index);
    }
    assert.deepEqual(await thingNames(db), HOSTILE);
  },

  'are refused where they do not fit the text, before anything is sent': async ({ db }) => {
    const text = 'insert into things (id, name) values (:id, :name)';
    await rejection(db.run(text, { id: 1 }), UsageError);
    await rejection(db.run(text, { id: 1, name: 'a', more: 2 }), UsageError);
    await rejection(db.run(text, { id: 1, name: undefined }), UsageError);
    await rejection(db.run(text, [1, 'a']), UsageError);
    await rejection(db.run(text), UsageError);
    assert.equal(await countThings(db), 0);
  },

  'are those of the moment of the call': async ({ db }) => {
    const params = { id: 1, name: 'before' };
    const list: [number, string] = [2, 'before'];
    const [first, second] = db.dialect === 'sqlite' ? ['?', '?'] : ['$1', '$2'];
    const calls = [
      db.run('insert into things (id, name, note) values (:id, :name, 1)', params),
      db.run(`insert into things (id, name) values (${first}, ${second} || '!')`, list),
    ];
    params.name = 'after';
    list[1] = 'after';
    await Promise.all(calls);
    assert.deepEqual(await thingNames(db), ['before', 'before!']);
  },

  'may be many': async ({ db }) => {
    const ids = Array.from({ length: 2_000 }, (_, index) => index);
    await db.run(
      sql`insert into things (id, name) values ${sql.join(ids.map((id) => sql`(${id}, ${`n${id}`})`))}`,
    );
    assert.equal(await countThings(db), 2_000);
    assert.equal((await db.all(sql`select id from things where id in (${sql.join(ids)})`)).length, 2_000);
  },
};
