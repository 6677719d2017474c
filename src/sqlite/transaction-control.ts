import type { DatabaseSync, StatementSync } from './binding.ts';
import { isBusy, primaryCode, Sqlite, toFailure } from './failure.ts';
import { FailureCode } from './protocol.ts';
import type { StatementStore } from './statement-store.ts';

/** Between two tries for a lock that another process holds. Constant: SQLite's own waits grow to 100 ms. */
const LOCK_RETRY_MS = 2;

/** BEGIN, COMMIT, ROLLBACK and savepoints of one connection. Runs in the connection's own thread. */
export class TransactionControl {
  readonly #database: DatabaseSync;
  readonly #store: StatementStore;
  readonly #busyTimeoutMs: number;
  readonly #verbs = new Map<string, StatementSync>();
  #isDoubtful = false;
  #foreignKeysSuspended = false;

  constructor(database: DatabaseSync, store: StatementStore, busyTimeoutMs: number) {
    this.#database = database;
    this.#store = store;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  get isOpen(): boolean {
    return this.#database.isTransaction;
  }

  /**
   * BEGIN IMMEDIATE: a transaction that would write later could find that its snapshot is too old to write on
   * (SQLITE_BUSY_SNAPSHOT), and no waiting helps it then: https://sqlite.org/rescode.html#busy_snapshot
   *
   * @param isAbandoned asked between tries; true ends the wait
   */
  beginWrite(isAbandoned: () => boolean): void {
    if (this.#isDoubtful) throw doubtfulError();
    const deadline = performance.now() + this.#busyTimeoutMs;
    this.#run('pragma busy_timeout = 0');
    try {
      while (!this.#tryBegin()) {
        if (isAbandoned() || performance.now() >= deadline) return void this.#run('begin immediate');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_RETRY_MS);
      }
    } finally {
      this.#run(`pragma busy_timeout = ${this.#busyTimeoutMs}`);
    }
  }

  /** Runs `work`, which needs the write lock, unless another process has it. */
  underWriteLock(work: () => void): void {
    this.#run('pragma busy_timeout = 0');
    try {
      if (!this.#tryBegin()) return;
      try {
        work();
      } finally {
        this.#run('rollback');
      }
    } finally {
      this.#run(`pragma busy_timeout = ${this.#busyTimeoutMs}`);
    }
  }

  /** A transaction that takes its snapshot with its first read. */
  begin(): void {
    this.#run('begin');
  }

  /** A read transaction whose snapshot is taken now, not at its first statement. */
  beginRead(): void {
    this.begin();
    this.#run('select 1 from sqlite_schema');
  }

  /** After an I/O error nothing more is written here: what this connection and the file hold may differ. */
  commit(): void {
    try {
      this.#run('commit');
    } catch (error) {
      if (primaryCode(toFailure(error).code) === Sqlite.ioError) this.#isDoubtful = true;
      throw error;
    }
  }

  /** Does not fail if there is no transaction: SQLite may have ended it already. */
  rollback(): void {
    if (this.isOpen) this.#run('rollback');
  }

  /** The state of the write-ahead log, without moving any of it. @returns undefined where there is none */
  readLog(): { readonly walFrames: number; readonly checkpointedFrames: number } | undefined {
    const row = this.#run('pragma wal_checkpoint(noop)') as { log: number; checkpointed: number };
    return row.log < 0 ? undefined : { walFrames: row.log, checkpointedFrames: row.checkpointed };
  }

  savepoint(name: string): void {
    this.#exec(`savepoint ${name}`);
  }

  release(name: string): void {
    this.#exec(`release ${name}`);
  }

  rollbackTo(name: string): void {
    this.#exec(`rollback to ${name}`);
  }

  /** Off while a read-only transaction runs on a connection that could write. */
  allowWrites(allowed: boolean): void {
    this.#run(`pragma query_only = ${allowed ? 0 : 1}`);
  }

  /** For the rebuild of a table; before BEGIN. Does nothing where they are not checked anyway. */
  suspendForeignKeys(): void {
    if (!this.#checksForeignKeys()) return;
    this.#run('pragma foreign_keys = 0');
    this.#foreignKeysSuspended = true;
  }

  /**
   * Restores them. After the end of the transaction, however it ended; if this fails, nothing more is written
   * here.
   */
  resumeForeignKeys(): void {
    if (!this.#foreignKeysSuspended) return;
    this.#run('pragma foreign_keys = 1');
    if (this.#checksForeignKeys()) this.#foreignKeysSuspended = false;
    else this.#isDoubtful = true;
  }

  #checksForeignKeys(): boolean {
    return (this.#run('pragma foreign_keys') as { foreign_keys: number }).foreign_keys === 1;
  }

  #tryBegin(): boolean {
    try {
      this.#run('begin immediate');
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
  }

  #run(text: string): unknown {
    return this.#store.trusted((database) => {
      let statement = this.#verbs.get(text);
      if (statement === undefined) {
        statement = database.prepare(text);
        this.#verbs.set(text, statement);
      }
      return statement.get();
    });
  }

  #exec(text: string): void {
    this.#store.trusted((database) => database.exec(text));
  }
}

function doubtfulError(): Error {
  const message = 'an earlier COMMIT or ROLLBACK on this connection met an error';
  return Object.assign(new Error(message), { errcode: FailureCode.connectionDoubtful });
}
