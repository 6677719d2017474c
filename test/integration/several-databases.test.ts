import { describe, expect, onTestFinished, test } from 'vitest';
import {
  getDb,
  openDatabase,
  PartialCommitError,
  transactional,
  UsageError,
  type Database,
} from '../../src/index.ts';
import { expectAtRest, rejection, scratchPath } from '../fixtures/scratch-database.ts';

const SCHEMA = 'create table row (id integer primary key, note text unique)';

async function openNamed(...names: string[]): Promise<Database[]> {
  const opened: Database[] = [];
  for (const name of names) {
    const db = await openDatabase({ url: `sqlite:${scratchPath()}`, name, log: 'silent' });
    onTestFinished(() => db.close());
    await db.script(SCHEMA);
    opened.push(db);
  }
  return opened;
}

async function notesOf(...databases: Database[]): Promise<unknown[][]> {
  const rows = await Promise.all(
    databases.map((db) => db.all<{ note: string }>('select note from row order by id')),
  );
  return rows.map((own) => own.map(({ note }) => note));
}

describe('several databases in one process (J7)', () => {
  test('are found by their names, from anywhere (J2)', async () => {
    const [orders, analytics] = await openNamed('orders', 'analytics');
    expect([getDb('orders'), getDb('analytics')]).toEqual([orders, analytics]);
    expect(() => getDb('nowhere')).toThrow(UsageError);
    await rejection(openDatabase({ url: `sqlite:${scratchPath()}`, name: 'orders', log: 'silent' }));
    await orders!.close();
    expect(() => getDb('orders')).toThrow('"analytics"');
    expect(await analytics!.value('select 1')).toBe(1);
  });

  test('have transactions side by side, each with its own outcome', async () => {
    const [one, two] = await openNamed('one', 'two');
    const error = await rejection(
      one!.transaction(async () => {
        await one!.run("insert into row (note) values ('undone')");
        // Another database's transaction is no part of this one.
        await two!.transaction(() => two!.run("insert into row (note) values ('kept')"));
        await two!.run("insert into row (note) values ('alone')");
        throw new Error('expected');
      }),
    );
    expect(error.message).toBe('expected');
    expect(await notesOf(one!, two!)).toEqual([[], ['kept', 'alone']]);
    await expectAtRest(one!);
    await expectAtRest(two!);
  });

  test('are committed or rolled back together by one function', async () => {
    const [one, two] = await openNamed('one', 'two');
    const both = transactional(
      async (note: string, fails: boolean) => {
        await getDb('one').run('insert into row (note) values (?)', [note]);
        await getDb('two').run('insert into row (note) values (?)', [note]);
        if (fails) throw new Error('expected');
      },
      { database: ['one', 'two'] },
    );
    await both('kept', false);
    expect((await rejection(both('undone', true))).message).toBe('expected');
    expect(await notesOf(one!, two!)).toEqual([['kept'], ['kept']]);
  });

  test('that end differently say so: what is committed stays', async () => {
    const [one, two] = await openNamed('one', 'two');
    await one!.script(`create table parent (id integer primary key);
      create table child (parent int references parent (id) deferrable initially deferred)`);
    const both = transactional(
      async () => {
        await getDb('two').run("insert into row (note) values ('kept')");
        // Found at COMMIT, and the second database has committed by then.
        await getDb('one').run('insert into child values (1)');
      },
      { database: ['one', 'two'] },
    );
    const error = await rejection(both());
    expect(error).toBeInstanceOf(PartialCommitError);
    expect(error['outcomes']).toEqual([
      { database: 'one', outcome: 'rolled-back' },
      { database: 'two', outcome: 'committed' },
    ]);
    expect(await notesOf(two!)).toEqual([['kept']]);
    expect(await one!.value('select count(*) from child')).toBe(0);
  });
});
