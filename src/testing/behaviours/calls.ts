import assert from 'node:assert/strict';
import { MillpondError, UsageError } from '../../errors/index.ts';
import { sql } from '../../sql/index.ts';
import type { Behaviours } from '../behaviour.ts';
import {
  addThing,
  CALLS,
  countThings,
  numbersUpTo,
  parseJson,
  rejection,
  rowsOf,
  thingNames,
} from './expectations.ts';

export const CALL_BEHAVIOURS: Behaviours = {
  'gives all rows in order, as objects by column name (T3)': async ({ db }) => {
    await addThing(db, 2, 'b');
    await addThing(db, 1, 'a');
    const rows = await db.all('select id, name, note from things order by id');
    assert.deepEqual(rows, [
      { id: 1, name: 'a', note: null },
      { id: 2, name: 'b', note: null },
    ]);
    assert.deepEqual(await db.all('select id from things where id > 9'), []);
  },

  'gives the first row, or undefined where there is none': async ({ db }) => {
    await addThing(db, 1, 'a');
    await addThing(db, 2, 'b');
    assert.deepEqual(await db.get('select id, name from things order by id desc'), { id: 2, name: 'b' });
    assert.equal(await db.get('select id from things where id > 9'), undefined);
  },

  'gives one value, null for NULL, and undefined where there is no row': async ({ db }) => {
    await addThing(db, 1, 'a');
    assert.equal(await db.value('select name, id from things'), 'a');
    assert.equal(await db.value('select note from things'), null);
    assert.equal(await db.value('select name from things where id > 9'), undefined);
  },

  'tells how many rows a write affected': async ({ db }) => {
    const inserted = await db.run("insert into things (id, name) values (1, 'a'), (2, 'b'), (3, 'c')");
    assert.equal(inserted.rowsAffected, 3);
    assert.equal((await db.run('update things set size = 1 where id > 1')).rowsAffected, 2);
    assert.equal((await db.run('delete from things where id > 9')).rowsAffected, 0);
    // An engine may still hold the count of the statement before.
    assert.equal((await db.run('update things set size = 2')).rowsAffected, 3);
    assert.equal((await db.run('create table made (id integer)')).rowsAffected, 0);
    await db.run('drop table made');
  },

  'gives the rows of RETURNING in every form, and changes all rows whatever the form takes': async ({
    db,
  }) => {
    const insert = (from: number) => {
      const next = from + 1;
      return `insert into things (id, name) values (${from}, 't${from}'), (${next}, 't${next}') returning id`;
    };
    assert.deepEqual(await db.all(insert(10)), [{ id: 10 }, { id: 11 }]);
    assert.deepEqual(await db.get(insert(20)), { id: 20 });
    assert.equal(await db.value(insert(30)), 30);
    assert.deepEqual(parseJson(await db.json(insert(40))), [{ id: 40 }, { id: 41 }]);
    assert.deepEqual(await rowsOf(db.stream(insert(50))), [{ id: 50 }, { id: 51 }]);
    assert.equal((await db.run(insert(60))).rowsAffected, 2);
    assert.equal(await countThings(db), 12);
  },

  'gives rows as the UTF-8 bytes of a JSON array': async ({ db }) => {
    await addThing(db, 1, 'é "quoted" \\ \n 🌊');
    const body = await db.json('select id, name, note from things');
    assert.ok(body instanceof Uint8Array);
    assert.deepEqual(parseJson(body), [{ id: 1, name: 'é "quoted" \\ \n 🌊', note: null }]);
    assert.deepEqual(parseJson(await db.json('select id from things where id > 9')), []);
  },

  'runs a script of several statements, all or nothing': async ({ db }) => {
    await db.script(
      "insert into things (id, name) values (1, 'a'); insert into things (id, name) values (2, 'b;c');",
    );
    assert.deepEqual(await thingNames(db), ['a', 'b;c']);
    const script =
      "insert into things (id, name) values (3, 'd'); insert into things (id, name) values (1, 'e');";
    await rejection(db.script(script), MillpondError);
    assert.deepEqual(await thingNames(db), ['a', 'b;c']);
  },

  'undoes alone a script that fails in a transaction, wherever it fails': async ({ db }) => {
    const insert = (id: number, name: string) => `insert into things (id, name) values (${id}, '${name}');`;
    await db.transaction(async (tx) => {
      await tx.script(insert(1, 'a'));
      for (const fault of [insert(1, 'taken'), 'select missing;', 'selec 1;', 'select (1;']) {
        await rejection(tx.script(insert(2, 'undone') + fault), MillpondError);
      }
      await tx.script(insert(3, 'c'));
    });
    assert.deepEqual(await thingNames(db), ['a', 'c']);
  },

  'sees a write that was answered, by whichever call it reads (B5)': async ({ db }) => {
    const text = 'select count(*) as n from things';
    for (let count = 1; count <= 20; count += 1) {
      await addThing(db, count);
      assert.equal(Number(await db.value(text)), count);
      assert.equal(Number((await db.get<{ n: number }>(text))?.n), count);
      const rows = parseJson(await db.json(text)) as { n: unknown }[];
      assert.equal(Number(rows[0]?.n), count);
      for await (const { n } of db.stream<{ n: number }>(text)) assert.equal(Number(n), count);
    }
  },

  'runs writes that one caller makes without awaiting them, in their order (C26)': async ({ db }) => {
    const writes = [db.run("insert into things (id, name) values (1, 'a')")];
    for (let round = 0; round < 50; round += 1) {
      writes.push(db.run(`update things set note = coalesce(note, '') || '${round},' where id = 1`));
    }
    await Promise.all(writes);
    const expected = Array.from({ length: 50 }, (_, round) => `${round},`).join('');
    assert.equal(await db.value('select note from things'), expected);
  },

  'sees a changed table at once, also by a text that it has used before': async ({ db }) => {
    await db.script('create table changing (a integer); insert into changing values (1);');
    const read = async () => ({
      all: await db.all('select * from changing'),
      get: await db.get('select * from changing'),
      json: parseJson(await db.json('select * from changing')),
      stream: await rowsOf(db.stream('select * from changing')),
      batch: (await db.batch(['select * from changing']))[0]?.rows,
    });
    for (let round = 0; round < 5; round += 1) await read();
    await db.run("alter table changing add column b text default 'x'");
    const row = { a: 1, b: 'x' };
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(await read(), { all: [row], get: row, json: [row], stream: [row], batch: [row] });
    }
    await db.run('drop table changing');
  },

  'gives rows as arrays, also where names come twice (P2)': async ({ db }) => {
    await db.script("insert into things (id, name, size) values (1, 'a', 5), (2, 'b', 6)");
    const text =
      'select t.id, t.note, t.name, u.id from things t join things u on u.id <> t.id order by t.id';
    const rows = [
      [1, null, 'a', 2],
      [2, null, 'b', 1],
    ];
    for (let round = 0; round < 5; round += 1) assert.deepEqual(await db.arrays(text), rows);
    assert.deepEqual(await db.transaction((tx) => tx.arrays(text)), rows);
    const many = await db.arrays(numbersUpTo(100, "i, 'n' || i, null, cast(i as real) / 2"));
    assert.deepEqual(many[99], [100, 'n100', null, 50]);
    assert.deepEqual(await db.arrays('select 1 where 1 = 0'), []);
  },

  'refuses SQL that controls transactions, which others may share (B4)': async ({ db }) => {
    for (const text of ['begin', 'commit', 'rollback', 'savepoint s', 'release s', 'end']) {
      for (const [kind, call] of Object.entries(CALLS)) {
        const refused = await rejection(call(db, text), UsageError);
        assert.match(refused.message, /transaction/, `${kind} of ${text}`);
      }
    }
  },

  'refuses more than one statement, and none': async ({ db }) => {
    await rejection(
      db.run("insert into things (id, name) values (1, 'a'); delete from things"),
      MillpondError,
    );
    await rejection(db.run(''), MillpondError);
    await rejection(db.run('-- only a comment'), MillpondError);
    assert.equal(await countThings(db), 0);
    assert.equal(await db.value('select 1; -- and a comment'), 1);
  },

  'refuses arguments that can only be a mistake': async ({ db }) => {
    const wrong = db as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    await rejection(wrong['all']!(7), UsageError);
    await rejection(wrong['all']!('select 1', { timeoutMs: 5 }), UsageError);
    await rejection(wrong['all']!('select 1', [], { timeout: 5 }), UsageError);
    await rejection(wrong['all']!(sql`select 1`, [1], {}), UsageError);
    await rejection(wrong['batch']!('select 1'), UsageError);
    await rejection(wrong['script']!(sql`select 1`), UsageError);
  },
};
