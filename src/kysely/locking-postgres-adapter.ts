import { PostgresAdapter, sql, type Kysely } from 'kysely';
import type { Database, DatabaseLease } from '../database/index.ts';

/** Kysely's own, so that a runner on another driver is kept out as well. */
const LOCK_ID = 3_853_314_791_062_309_107n;
/** As long as Kysely waits. */
const LOCK_TIMEOUT_MS = 3_600_000;

/**
 * Kysely's own adapter locks its migrations for a session, and its connections are no sessions here: the lock
 * would belong to some pooled connection, and stay there. So the lock has a connection of its own while the
 * migrations run.
 */
export class LockingPostgresAdapter extends PostgresAdapter {
  readonly #db: Database;
  readonly #leases = new WeakMap<object, DatabaseLease>();

  constructor(db: Database) {
    super();
    this.#db = db;
  }

  override async acquireMigrationLock(kysely: Kysely<unknown>): Promise<void> {
    if (this.#isInTransaction(kysely)) {
      await sql`select pg_advisory_xact_lock(${LOCK_ID})`.execute(kysely);
      return;
    }
    const lease = await this.#db.acquire({ name: 'kysely migrations' });
    this.#leases.set(kysely, lease);
    await lease.connection.value('select pg_advisory_lock($1)', [LOCK_ID], { timeoutMs: LOCK_TIMEOUT_MS });
  }

  /** Also called where the lock was not obtained. */
  override async releaseMigrationLock(kysely: Kysely<unknown>): Promise<void> {
    await using lease = this.#leases.get(kysely);
    this.#leases.delete(kysely);
    await lease?.connection.value('select pg_advisory_unlock($1)', [LOCK_ID]);
  }

  #isInTransaction(kysely: Kysely<unknown>): boolean {
    return kysely.isTransaction || this.#db.currentTransaction !== undefined;
  }
}
