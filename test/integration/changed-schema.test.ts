import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';

test('a statement is judged by the schema as it is, not as this thread last saw it', async () => {
  const { db } = await openScratch('create table t (a, b, c)');
  // What the calling thread knows of the table from here on.
  await db.run('insert into t values (1, 2, 3)');
  await db.run('alter table t add column d');
  const added = await db.get('insert into t values (1, 2, 3, 4) returning d');
  expect(added).toEqual({ d: 4 });
  await expect(db.run('insert into t values (1, 2, 3)')).rejects.toThrow('has 4 columns but 3 values');
  await expectAtRest(db);
});

const TRIGGER = 'create trigger follow after insert on t begin insert into log values (new.a); end';

/** Ways for a schema to change under statements that are known already. */
const CHANGES: Record<string, (db: Database, sql: string, path: string) => Promise<unknown>> = {
  'a statement': (db, sql) => db.run(sql),
  'a script': (db, sql) => db.script(sql),
  'a batch': (db, sql) => db.batch([sql]),
  'a transaction': (db, sql) => db.transaction((tx) => tx.run(sql)),
  'a script in a transaction': (db, sql) => db.transaction((tx) => tx.script(sql)),
  'a transaction by hand': async (db, sql) => {
    await using tx = await db.begin();
    await tx.run(sql);
    await tx.commit();
  },
  'another program': async (db, sql, path) => {
    const heard = Promise.withResolvers<void>();
    const stop = db.on('data:change', ({ source }) => source === 'foreign' && heard.resolve());
    const other = new DatabaseSync(path);
    // What happened before somebody listened is not noticed.
    const often = setInterval(() => other.exec('insert into noise values (1)'), 50);
    other.exec(sql);
    await heard.promise;
    clearInterval(often);
    stop();
    other.close();
  },
};

describe.each([true, false])('with pooled: %s, what a known statement changes', (pooled) => {
  test.each(Object.keys(CHANGES))(
    'is what it changes under the schema of now, changed by %s (B15)',
    async (by) => {
      const schema = 'create table t (a); create table log (a); create table noise (a)';
      const { db, path } = await openScratch(schema, { pooled });
      const changed: (readonly string[] | undefined)[] = [];
      db.on('data:change', ({ tables, source }) => source === 'local' && changed.push(tables));
      const writes: (() => Promise<unknown>)[] = [
        () => db.run('insert into t values (1)'),
        () => db.batch(['insert into t values (2)']),
        () => db.transaction((tx) => tx.run('insert into t values (3)')),
      ];
      const seen = async (): Promise<unknown[]> => {
        changed.length = 0;
        for (const write of writes) await write();
        return changed.map((tables) => tables?.toSorted());
      };
      expect(await seen()).toEqual([['t'], ['t'], ['t']]);
      await CHANGES[by]!(db, TRIGGER, path);
      const both = ['log', 't'];
      expect(await seen()).toEqual([both, both, both]);
      await CHANGES[by]!(db, 'drop trigger follow', path);
      expect(await seen()).toEqual([['t'], ['t'], ['t']]);
      await expectAtRest(db);
    },
  );
});
