import type { Database } from '../database/index.ts';
import type { TransactionWork } from '../transaction/index.ts';

/**
 * For tests that write: runs `work` in a transaction that is rolled back whatever happens, and resolves to
 * its result, or passes on its error. Calls on the database inside are part of it. Transactions of the code
 * under test become savepoints: each commits or is undone by itself, as it would alone.
 *
 * What cannot be had inside of one transaction stays out of reach: `onCommit` callbacks never run, since
 * nothing is committed; a transaction is not tried again; `db.begin()` and 'requires-new' would need the
 * writer that is held.
 */
export async function withRollback<T>(db: Database, work: TransactionWork<T>): Promise<T> {
  // Never seen by anybody: it only tells the transaction not to commit.
  const undo = new Error('withRollback() rolls back.');
  let result: { readonly value: T } | undefined;
  try {
    return await db.transaction<never>(
      async (tx) => {
        result = { value: await work(tx) };
        throw undo;
      },
      { name: 'withRollback', propagation: 'nested', inner: 'nest' },
    );
  } catch (error) {
    if (error === undo && result !== undefined) return result.value;
    throw error;
  }
}
