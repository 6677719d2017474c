import assert from 'node:assert/strict';
import { TransactionClosedError, UsageError } from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, CALLS, countThings, rejection, thingNames } from './expectations.ts';

export const HANDLE_BEHAVIOURS: Behaviours = {
  'commits and rolls back by its own word (J4)': async ({ db }) => {
    const first = await db.begin();
    await addThing(first, 1, 'kept');
    await first.commit();
    const second = await db.begin();
    await addThing(second, 2, 'undone');
    await second.rollback();
    assert.deepEqual(await thingNames(db), ['kept']);
    assert.deepEqual([first.state, second.state], ['committed', 'rolled-back']);
  },

  'that leaves its scope without a commit is rolled back (S3, J4)': async ({ db }) => {
    {
      await using tx = await db.begin();
      await addThing(tx, 1, 'undone');
    }
    {
      await using tx = await db.begin();
      await addThing(tx, 2, 'kept');
      await tx.commit();
    }
    assert.deepEqual(await thingNames(db), ['kept']);
  },

  'commits in the middle and goes on (J4)': async ({ db }) => {
    const tx = await db.begin();
    await addThing(tx, 1, 'a');
    await tx.commitAndContinue();
    await addThing(tx, 2, 'b');
    await tx.commitAndContinue();
    await addThing(tx, 3, 'c');
    await tx.rollback();
    assert.deepEqual(await thingNames(db), ['a', 'b']);
  },

  'commits in the middle of a function too': async ({ db }) => {
    const mine = new Error('mine');
    await db
      .transaction(async (tx) => {
        await addThing(tx, 1, 'a');
        await tx.commitAndContinue();
        await addThing(tx, 2, 'b');
        throw mine;
      })
      .catch((error: unknown) => assert.equal(error, mine));
    assert.deepEqual(await thingNames(db), ['a']);
  },

  'is the only way into it: calls on the database are not part of it': async ({ db }) => {
    const tx = await db.begin({ readOnly: true });
    await addThing(db, 1);
    await tx.rollback();
    assert.equal(await countThings(db), 1);
  },

  'flushes: waits for what was sent, and tells the first failure (J4)': async ({ db }) => {
    const tx = await db.begin();
    const sent = [addThing(tx, 1), addThing(tx, 2)];
    await tx.flush();
    assert.equal(await countThings(tx), 2);
    await Promise.all(sent);
    const failing = addThing(tx, 2);
    failing.catch(() => undefined);
    await assert.rejects(tx.flush());
    await assert.rejects(failing);
    await tx.rollback();
  },

  'opens savepoints with handles of their own': async ({ db }) => {
    const tx = await db.begin();
    await addThing(tx, 1, 'a');
    const undone = await tx.begin();
    await addThing(undone, 2, 'b');
    await rejection(tx.run('select 1'), UsageError);
    await undone.rollback();
    const kept = await tx.begin();
    await addThing(kept, 3, 'c');
    await kept.commit();
    await addThing(tx, 4, 'd');
    await tx.commit();
    assert.deepEqual(await thingNames(db), ['a', 'c', 'd']);
  },

  'of a function is not ended by hand': async ({ db }) => {
    await db.transaction(async (tx) => {
      await rejection(tx.commit(), UsageError);
      await rejection(tx.rollback(), UsageError);
      await addThing(tx, 1);
    });
    assert.equal(await countThings(db), 1);
  },

  'is refused for every use after its end, and nothing runs outside (B8, C28)': async ({ db }) => {
    const committed = await db.begin();
    await committed.commit();
    const rolledBack = await db.begin();
    await rolledBack.rollback();
    const finished = await db.transaction((tx) => tx);
    for (const tx of [committed, rolledBack, finished]) {
      for (const [kind, call] of Object.entries(CALLS)) {
        const refused = call(tx, "insert into things (id, name) values (1, 'late') returning id");
        await rejection(refused, TransactionClosedError).catch((cause) =>
          assert.fail(`${kind}: ${String(cause)}`),
        );
      }
      await rejection(
        tx.transaction(() => undefined),
        TransactionClosedError,
      );
      await rejection(tx.begin(), TransactionClosedError);
      await rejection(tx.flush(), TransactionClosedError);
      await rejection(tx.commitAndContinue(), TransactionClosedError);
      assert.throws(() => tx.onCommit(() => undefined), TransactionClosedError);
    }
    await rejection(committed.commit(), TransactionClosedError);
    await rejection(committed.rollback(), TransactionClosedError);
    await rejection(rolledBack.commit(), TransactionClosedError);
    await rolledBack.rollback();
    assert.equal(await countThings(db), 0);
  },

  'says in the error of a late use how and where the transaction ended (B8)': async ({ db }) => {
    const tx = await db.begin({ name: 'import' });
    await tx.commit();
    const error = await rejection(tx.run('select 1'), TransactionClosedError);
    assert.match(error.message, /"import" was committed \d+ ms ago[^]*begun at /);
  },
};
