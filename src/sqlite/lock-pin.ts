import { DatabaseSync, type StatementSync } from './binding.ts';

/**
 * Makes reads of this process cheaper for a moment, and changes nothing else.
 *
 * A read in WAL mode takes and drops a shared lock by two system calls, two thirds of what a point read
 * costs. SQLite makes the calls only for the first holder in a process and counts the others (unixShmLock in
 * https://sqlite.org/src/file/src/os_unix.c): while this connection sits in a read transaction, the reads of
 * its neighbours find the lock held. They still look for the newest commit each time. After a commit they
 * lock another slot themselves: then the pin is useless until it is set again, but never wrong.
 */
export class LockPin {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #touch: StatementSync;
  readonly #end: StatementSync;
  #isSet = false;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true });
    this.#begin = this.#database.prepare('begin');
    // BEGIN alone takes no lock:
    // https://sqlite.org/lang_transaction.html#deferred_immediate_and_exclusive_transactions
    this.#touch = this.#database.prepare('select 1 from sqlite_schema limit 1');
    this.#end = this.#database.prepare('rollback');
  }

  set(): void {
    this.#isSet = true;
    this.#begin.run();
    this.#touch.get();
  }

  /** Must be called soon: no checkpoint can go past this point until then. */
  drop(): void {
    if (!this.#isSet) return;
    this.#isSet = false;
    if (this.#database.isTransaction) this.#end.run();
  }

  close(): void {
    this.drop();
    this.#database.close();
  }
}
