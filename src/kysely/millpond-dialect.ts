import {
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
} from 'kysely';
import type { Database } from '../database/index.ts';
import { LockingPostgresAdapter } from './locking-postgres-adapter.ts';
import { MillpondDriver } from './millpond-driver.ts';

/**
 * Kysely over a millpond database, of either engine: `new Kysely<Tables>({ dialect: new MillpondDialect(db)
 * })`. Queries join the running transaction automatically, and have the same limits, fence, events and errors
 * as all others. `kysely.destroy()` leaves the database open: whoever opened it closes it.
 */
export class MillpondDialect implements Dialect {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  createDriver(): Driver {
    return new MillpondDriver(this.#db);
  }

  createQueryCompiler(): QueryCompiler {
    return this.#db.dialect === 'postgres' ? new PostgresQueryCompiler() : new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return this.#db.dialect === 'postgres' ? new LockingPostgresAdapter(this.#db) : new PooledSqliteAdapter();
  }

  createIntrospector(kysely: Kysely<unknown>): DatabaseIntrospector {
    return this.#db.dialect === 'postgres'
      ? new PostgresIntrospector(kysely)
      : new SqliteIntrospector(kysely);
  }
}

/** Kysely's own is for one connection, and would run one query after another. */
class PooledSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }

  /** So migrations run in a transaction, which on SQLite keeps other runners out. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
