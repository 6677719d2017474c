import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../async/index.ts';
import type { Database } from '../database/index.ts';
import { MigrationError, MillpondError } from '../errors/index.ts';
import { sql } from '../sql/index.ts';
import type { Transaction } from '../transaction/index.ts';

export interface Step {
  readonly table: string;
  readonly lockTimeoutMs: number;
  /** Of the work, once the lock is held. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** False while SQLite rebuilds a table. */
  readonly foreignKeys: boolean;
}

/** Between two tries for a lock. */
const RETRY_MS = 50;
/** A runner that does not want to wait still tries once, and the answer takes a moment. */
const ONE_TRY_MS = 250;
/**
 * The errors that mean that somebody else had the database for too long: another process, or another caller
 * in this one.
 */
const WAITED_TOO_LONG: readonly string[] = ['ERR_MILLPOND_BUSY', 'ERR_MILLPOND_POOL_EXHAUSTED'];

/**
 * Runs `work` in a transaction in which no other runner can be: nothing that the history says can change
 * until it has committed. On SQLite the lock is the write lock of the file (BEGIN IMMEDIATE), on PostgreSQL
 * an advisory lock of the transaction; both are gone with the process that held them.
 * @throws MigrationError where the lock did not come free in time
 */
export async function inStep<T>(db: Database, step: Step, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const deadline = systemClock.now() + step.lockTimeoutMs;
  for (;;) {
    const attempt = { isEntered: false };
    try {
      return await tryStep(db, { ...step, attempt, waitMs: deadline - systemClock.now() }, work);
    } catch (error) {
      const isWait = error instanceof MillpondError && WAITED_TOO_LONG.includes(error.code);
      if (attempt.isEntered || !isWait) throw error;
      if (systemClock.now() >= deadline) throw await lockedError(db, step);
    }
  }
}

interface Attempt extends Step {
  readonly attempt: { isEntered: boolean };
  readonly waitMs: number;
}

async function tryStep<T>(
  db: Database,
  { table, waitMs, timeoutMs, foreignKeys, signal, attempt }: Attempt,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const waited = new AbortController();
  const waitUntil = systemClock.now() + waitMs;
  const limit = setTimeout(() => waited.abort(new WaitOver()), Math.max(ONE_TRY_MS, waitMs));
  const signals = signal === undefined ? [waited.signal] : [waited.signal, signal];
  try {
    return await db.transaction(
      async (tx) => {
        // A runner that waits must not keep a snapshot: an index that is built concurrently would wait for
        // it.
        while (!(await tryLock(tx, db, table))) {
          if (systemClock.now() >= waitUntil) throw new WaitOver();
          await sleep(RETRY_MS);
        }
        attempt.isEntered = true;
        clearTimeout(limit);
        return work(tx);
      },
      {
        name: 'migration',
        propagation: 'requires-new',
        // The history must be read as it is behind the lock, not as it was when the waiting began.
        isolation: db.dialect === 'postgres' ? 'read committed' : undefined,
        timeoutMs: timeoutMs === 0 ? 0 : timeoutMs + Math.max(0, waitMs),
        signal: AbortSignal.any(signals),
        foreignKeys,
      },
    );
  } finally {
    clearTimeout(limit);
  }
}

/** Never seen outside: it ends a wait. */
class WaitOver extends MillpondError {
  readonly code = 'ERR_MILLPOND_BUSY';

  constructor() {
    super('The wait for the lock is over.');
  }
}

async function tryLock(tx: Transaction, { dialect }: Database, table: string): Promise<boolean> {
  // Answered once BEGIN IMMEDIATE has the lock.
  if (dialect === 'sqlite') return (await tx.value('select 1')) === 1;
  return (await tx.value<boolean>(sql`select pg_try_advisory_xact_lock(${lockKey(table)}::bigint)`)) === true;
}

/** One lock for each history. The number is the same in every version. */
function lockKey(table: string): bigint {
  return createHash('sha256').update(`millpond migrations ${table}`).digest().readBigInt64BE();
}

async function lockedError(db: Database, { table, lockTimeoutMs }: Step): Promise<MigrationError> {
  const holder =
    db.dialect === 'sqlite' ? 'another process holds the write lock of the file' : await holderOf(db, table);
  const message =
    `Another runner is migrating this database: after ${lockTimeoutMs} ms (lockTimeoutMs) ${holder}. ` +
    'Nothing was changed. Wait for it, or end that process: its lock goes with it.';
  return new MigrationError([{ kind: 'locked', message }], { retryable: true });
}

async function holderOf(db: Database, table: string): Promise<string> {
  const key = lockKey(table);
  const [high, low] = [BigInt.asUintN(32, key >> 32n), BigInt.asUintN(32, key)];
  const pid = await db
    .value<number>(
      sql`select pid from pg_locks where locktype = 'advisory' and granted and objsubid = 1
        and classid::bigint = ${high}::bigint and objid::bigint = ${low}::bigint`,
    )
    // This is only for the message; what matters is the lock itself.
    .catch(() => undefined);
  return pid === undefined ? 'its lock is held' : `the server process ${pid} holds its lock`;
}
