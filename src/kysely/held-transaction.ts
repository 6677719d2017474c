import type { Database } from '../database/index.ts';
import type { Queryable } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import type { Transaction, TransactionOptions } from '../transaction/index.ts';

/** Most savepoints of one transaction: each is a scope of its own. */
const MOST_SAVEPOINTS = 1_000;

interface Savepoint {
  readonly name: string;
  readonly handle: Transaction;
}

/**
 * A transaction that is begun by one call of Kysely's and ended by another. It is run as a function that
 * waits for its end, because that way it is a savepoint where a transaction is running already.
 */
export class HeldTransaction {
  readonly #transaction: Transaction;
  readonly #end: PromiseWithResolvers<void>;
  /** Settles when the transaction has ended, also by a limit or a loss. */
  readonly #finished: Promise<void>;
  /** The innermost last. */
  #savepoints: Savepoint[] = [];
  #hasEnded = false;

  private constructor(transaction: Transaction, end: PromiseWithResolvers<void>, finished: Promise<void>) {
    this.#transaction = transaction;
    this.#end = end;
    this.#finished = finished;
    finished.then(
      () => (this.#hasEnded = true),
      () => (this.#hasEnded = true),
    );
  }

  static async begin(db: Database, options: TransactionOptions): Promise<HeldTransaction> {
    const begun = Promise.withResolvers<Transaction>();
    const end = Promise.withResolvers<void>();
    const work = async (tx: Transaction): Promise<void> => {
      begun.resolve(tx);
      await end.promise;
    };
    const finished = db.transaction(work, { ...options, propagation: 'nested' });
    finished.catch((error: unknown) => begun.reject(error));
    return new HeldTransaction(await begun.promise, end, finished);
  }

  /** Where a statement goes: to the innermost savepoint. */
  get calls(): Queryable {
    return this.#savepoints.at(-1)?.handle ?? this.#transaction;
  }

  async commit(): Promise<void> {
    await this.#releaseFrom(0);
    this.#end.resolve();
    await this.#finished;
  }

  /** Does nothing when the transaction has ended by itself. */
  async rollback(): Promise<void> {
    if (this.#hasEnded) return;
    const undo = new Error('Kysely rolls back.');
    this.#end.reject(undo);
    await this.#finished.catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  }

  async savepoint(name: string): Promise<void> {
    if (this.#savepoints.length >= MOST_SAVEPOINTS) {
      throw new UsageError(`A transaction has at most ${MOST_SAVEPOINTS} savepoints open.`);
    }
    const outer = this.#savepoints.at(-1)?.handle ?? this.#transaction;
    this.#savepoints.push({ name, handle: await outer.begin({ name }) });
  }

  /** The savepoint stays, as in SQL: what comes next is under it again. */
  async rollbackToSavepoint(name: string): Promise<void> {
    const index = this.#indexOf(name);
    for (const { handle } of this.#savepoints.splice(index).toReversed()) await handle.rollback();
    await this.savepoint(name);
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.#releaseFrom(this.#indexOf(name));
  }

  async #releaseFrom(index: number): Promise<void> {
    for (const { handle } of this.#savepoints.splice(index).toReversed()) await handle.commit();
  }

  #indexOf(name: string): number {
    const index = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (index >= 0) return index;
    throw new UsageError(`There is no savepoint "${name}" in this transaction.`);
  }
}
