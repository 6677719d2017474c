import assert from 'node:assert/strict';
import { UsageError } from '../../errors/index.ts';
import { onCommit, onRollback, TransactionHookError } from '../../transaction/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, countThings, rejection, thrownBy } from './expectations.ts';

const mine = new Error('mine');

export const HOOK_BEHAVIOURS: Behaviours = {
  'run after the commit, outside the transaction, in order, and are awaited': async ({ db }) => {
    const told: string[] = [];
    await db.transaction(async (tx) => {
      onCommit(async () => {
        told.push(`first sees ${await countThings(db)}`);
        await addThing(db, 2);
      });
      tx.onCommit(async () => told.push(`second sees ${await countThings(db)}`));
      onRollback(() => told.push('never'));
      await addThing(tx, 1);
      assert.deepEqual(told, []);
    });
    assert.deepEqual(told, ['first sees 1', 'second sees 2']);
  },

  'run with the error after a rollback, and those for the commit do not': async ({ db }) => {
    const told: unknown[] = [];
    const failing = db.transaction(async (tx) => {
      onCommit(() => told.push('never'));
      onRollback(async (error) => told.push(error, await countThings(db)));
      await addThing(tx, 1);
      throw mine;
    });
    assert.equal(await thrownBy(failing), mine);
    assert.deepEqual(told, [mine, 0]);
  },

  'of a nested transaction wait for the outer one, and are dropped with the nested one': async ({ db }) => {
    const told: string[] = [];
    await db.transaction(async (tx) => {
      await tx.transaction(async () => onCommit(() => told.push('kept')));
      assert.equal(told.length, 0);
      const fail = (): Promise<void> => {
        onCommit(() => told.push('never'));
        onRollback(() => told.push('undone'));
        return Promise.reject(mine);
      };
      const failing = tx.transaction(fail);
      assert.equal(await thrownBy(failing), mine);
      assert.deepEqual(told, ['undone']);
    });
    assert.deepEqual(told, ['undone', 'kept']);
  },

  'start anew with each attempt of a transaction that is tried again': async ({ db }) => {
    const told: string[] = [];
    let tries = 0;
    await db.transaction(
      () => {
        tries += 1;
        const name = `attempt ${tries}`;
        onCommit(() => told.push(name));
        if (tries < 3) throw Object.assign(new Error('passing'), { retryable: true });
      },
      { retry: { attempts: 5, minDelayMs: 0, maxDelayMs: 1 } },
    );
    assert.deepEqual(told, ['attempt 3']);
  },

  'that fail after the commit are told, and it stays a commit': async ({ db }) => {
    const told: string[] = [];
    const failing = db.transaction(async (tx) => {
      await addThing(tx, 1);
      onCommit(() => {
        throw mine;
      });
      onCommit(() => told.push('the next one runs'));
    });
    const error = await rejection(failing, TransactionHookError);
    assert.deepEqual([error.committed, error.cause, told], [true, mine, ['the next one runs']]);
    assert.equal(await countThings(db), 1);
  },

  'of a part run when that part commits': async ({ db }) => {
    const told: string[] = [];
    const tx = await db.begin();
    tx.onCommit(() => told.push('part'));
    await tx.commitAndContinue();
    assert.deepEqual(told, ['part']);
    tx.onCommit(() => told.push('never'));
    await tx.rollback();
    assert.deepEqual(told, ['part']);
  },

  'are refused where no transaction runs': async () => {
    assert.throws(() => onCommit(() => undefined), UsageError);
    assert.throws(() => onRollback(() => undefined), UsageError);
  },
};
