import assert from 'node:assert/strict';
import type { Database } from '../../database/index.ts';
import { sql } from '../../sql/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, thrownBy } from './expectations.ts';

/** What is announced while `work` runs; each change is there before `work` goes on. */
async function changesOf(db: Database, work: () => Promise<unknown>): Promise<(string[] | undefined)[]> {
  const told: (string[] | undefined)[] = [];
  const stop = db.on('data:change', ({ tables }) => told.push(tables?.toSorted()));
  try {
    await work();
    return [...told];
  } finally {
    stop();
  }
}

const NOBODY = sql`delete from parts where id = ${-1}`;

export const CHANGE_BEHAVIOURS: Behaviours = {
  'are announced by table before the write is answered (X4, B15)': async ({ db }) => {
    assert.deepEqual(await changesOf(db, () => addThing(db, 1)), [['things']]);
    assert.deepEqual(await changesOf(db, () => db.all(sql`select * from things`)), []);
    const batch = () => db.batch([sql`update things set size = ${2} where id = ${1}`, NOBODY]);
    assert.deepEqual(await changesOf(db, batch), [['parts', 'things']]);
  },

  'of a transaction are announced once, after COMMIT (B15)': async ({ db }) => {
    const whole = () =>
      db.transaction(async (tx) => {
        await addThing(tx, 1);
        await tx.batch([NOBODY]);
        await tx.transaction((inner) => addThing(inner, 2));
      });
    assert.deepEqual(await changesOf(db, whole), [['parts', 'things']]);
    assert.deepEqual(await changesOf(db, () => db.transaction(() => db.all('select 1'))), []);
  },

  'of a transaction that is rolled back, or only reads, are none (B15)': async ({ db }) => {
    const undone = () =>
      thrownBy(
        db.transaction(async (tx) => {
          await addThing(tx, 1);
          throw new Error('no');
        }),
      );
    assert.deepEqual(await changesOf(db, undone), []);
    const reading = () => db.transaction((tx) => tx.all('select * from things'), { readOnly: true });
    assert.deepEqual(await changesOf(db, reading), []);
  },

  'of the parts of a transaction are announced part by part (J4)': async ({ db }) => {
    const parts = async () => {
      await using tx = await db.begin();
      await addThing(tx, 1);
      await tx.commitAndContinue();
      await tx.run(NOBODY);
      await tx.commit();
    };
    assert.deepEqual(await changesOf(db, parts), [['things'], ['parts']]);
  },

  'that nobody can name may be of any table': async ({ db }) => {
    const script = () => db.script('create table more (id integer primary key)');
    assert.deepEqual(await changesOf(db, script), [undefined]);
    const inTransaction = () => db.transaction((tx) => tx.script('drop table more'));
    assert.deepEqual(await changesOf(db, inTransaction), [undefined]);
  },

  'are announced to one who began to listen while the transaction ran': async ({ db }) => {
    const told: unknown[] = [];
    await db.transaction(async (tx) => {
      await addThing(tx, 1);
      db.on('data:change', ({ tables, source }) => told.push(tables, source));
    });
    assert.deepEqual(told, [undefined, 'local']);
  },
};
