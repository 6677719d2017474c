import type { BackupOptions, Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { CompatStatement } from './compat-statement.ts';

export interface PragmaOptions {
  /** Gives the first column of the first row instead of the rows. @default false */
  readonly simple?: boolean | undefined;
}

type Call<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Promise<Result>;

/** A function in a transaction. All four do the same: a transaction that may write begins IMMEDIATE. */
export interface CompatTransaction<This, Args extends unknown[], Result> extends Call<This, Args, Result> {
  readonly default: Call<This, Args, Result>;
  readonly deferred: Call<This, Args, Result>;
  readonly immediate: Call<This, Args, Result>;
  readonly exclusive: Call<This, Args, Result>;
}

/**
 * The methods of better-sqlite3 on a millpond database: all that has to be added is `await` before each call.
 * For moving over step by step; both ways of calling may be used on the same database, in the same
 * transaction. @throws UsageError for a database that is not SQLite
 */
export function compat(db: Database): CompatDatabase {
  if (db.dialect !== 'sqlite') throw new UsageError('compat() is for SQLite databases.');
  return new CompatDatabase(db);
}

export class CompatDatabase {
  /** The database behind it. */
  readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  get name(): string {
    return this.database.name;
  }

  /** True inside a transaction, in this asynchronous flow. */
  get inTransaction(): boolean {
    return this.database.currentTransaction !== undefined;
  }

  /** Nothing is sent yet: a fault in the text rejects the first call. */
  prepare<Args extends unknown[] = unknown[], Row = unknown>(source: string): CompatStatement<Args, Row> {
    return new CompatStatement<Args, Row>(this.database, source);
  }

  /**
   * The function, run in a transaction each time it is called: committed when it resolves, rolled back when
   * it rejects. Called inside another one it is a savepoint, as in better-sqlite3.
   */
  transaction<This, Args extends unknown[], Result>(
    work: (this: This, ...args: Args) => Result | Promise<Result>,
  ): CompatTransaction<This, Args, Awaited<Result>> {
    if (typeof work !== 'function') throw new UsageError('transaction() takes a function.');
    const { database } = this;
    const options = { propagation: 'nested', ...(work.name === '' ? {} : { name: work.name }) } as const;
    async function inTransaction(this: This, ...args: Args): Promise<Awaited<Result>> {
      const body = async (): Promise<Awaited<Result>> => await work.apply(this, args);
      return database.transaction(body, options);
    }
    const ways = {
      default: inTransaction,
      deferred: inTransaction,
      immediate: inTransaction,
      exclusive: inTransaction,
    };
    return Object.assign(inTransaction, ways);
  }

  /** Several statements as one text: all or nothing. */
  async exec(source: string): Promise<this> {
    await this.database.script(source);
    return this;
  }

  /** `pragma('user_version')`. Those that would change one connection of many belong to the configuration. */
  async pragma(source: string, { simple = false }: PragmaOptions = {}): Promise<unknown> {
    const rows = await this.database.all(`pragma ${source}`);
    return simple ? Object.values(rows[0] ?? {})[0] : rows;
  }

  /** Copies the database to a file, while it is used. */
  async backup(destination: string, options?: BackupOptions): Promise<void> {
    await this.database.backup(destination, options);
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}
