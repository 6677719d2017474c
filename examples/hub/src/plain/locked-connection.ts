import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** The same settings that millpond gives its connections, so that only the way of using them differs. */
const PRAGMAS = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma foreign_keys = on;
  pragma busy_timeout = 5000;
  pragma cache_size = -16384;
  pragma mmap_size = 134217728;
  pragma temp_store = memory;
`;

/**
 * One synchronous connection behind one lock: callers take turns, first come first served, and while a
 * statement runs nothing else in the process does. Services start with this; here it is called *before*.
 */
export class LockedConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(PRAGMAS);
  }

  /** Waits for the lock and runs `work` under it. */
  use<T>(work: (connection: LockedConnection) => T): Promise<T> {
    const turn = this.#lastTurn.then(() => work(this));
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** Runs `work` under the lock in one transaction. */
  transaction<T>(work: (connection: LockedConnection) => T): Promise<T> {
    return this.use(() => {
      this.#database.exec('begin immediate');
      try {
        const result = work(this);
        this.#database.exec('commit');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('rollback');
        throw error;
      }
    });
  }

  /** Prepares each text once: the comparison is not about preparing. Only for those who hold the lock. */
  statement(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** Closes after the last turn. */
  close(): Promise<void> {
    return this.use(() => this.#database.close());
  }
}
