import { hostname } from 'node:os';
import type { Queryable } from '../driver/index.ts';
import { sql, type Dialect } from '../sql/index.ts';
import type { HistoryEntry } from './compare-history.ts';

/** What is written when a migration is entered into the history. */
export interface NewEntry {
  readonly position: number;
  readonly name: string;
  readonly checksum: string;
  readonly state: HistoryEntry['state'];
  readonly startedAt: string;
  /** Absent where it was not run, but declared to be applied. */
  readonly durationMs?: number | undefined;
}

/** This process, for the history. */
const RUNNER = `${hostname()}:${process.pid}`;

/**
 * The table with the history. Times are texts, so that both engines keep the same; nothing but the migrations
 * reads it.
 */
export class Ledger {
  readonly #table: string;
  readonly #dialect: Dialect;

  constructor(table: string, dialect: Dialect) {
    this.#table = table;
    this.#dialect = dialect;
  }

  async create(db: Queryable): Promise<void> {
    await db.script(`create table if not exists ${this.#table} (
      position integer primary key,
      name text not null unique,
      checksum text not null,
      state text not null,
      started_at text not null,
      finished_at text,
      duration_ms integer,
      runner text not null
    )`);
  }

  /** In the order in which they were applied; empty where there is no history yet. */
  async read(db: Queryable): Promise<HistoryEntry[]> {
    if (!(await this.#exists(db))) return [];
    return db.all<HistoryEntry>(
      sql`select position, name, checksum, state, started_at as "startedAt", finished_at as "finishedAt",
        duration_ms as "durationMs", runner from ${sql.id(this.#table)} order by position`,
      { name: 'migration history' },
    );
  }

  async add(
    db: Queryable,
    { position, name, checksum, state, startedAt, durationMs }: NewEntry,
  ): Promise<void> {
    const finishedAt = state === 'applied' ? new Date().toISOString() : null;
    await db.run(sql`insert into ${sql.id(this.#table)}
      (position, name, checksum, state, started_at, finished_at, duration_ms, runner)
      values (${position}, ${name}, ${checksum}, ${state}, ${startedAt}, ${finishedAt}, ${durationMs ?? null},
        ${RUNNER})`);
  }

  /** One that runs without a transaction is entered before it begins. */
  async begin(db: Queryable, name: string, state: 'applying' | 'reverting'): Promise<void> {
    await db.run(sql`update ${sql.id(this.#table)}
      set state = ${state}, started_at = ${new Date().toISOString()},
      finished_at = ${null}, runner = ${RUNNER} where name = ${name}`);
  }

  async finish(db: Queryable, name: string, durationMs: number | null): Promise<void> {
    await db.run(sql`update ${sql.id(this.#table)} set state = 'applied',
      finished_at = ${new Date().toISOString()}, duration_ms = ${durationMs} where name = ${name}`);
  }

  /** It ended halfway, so nobody needs to wait for it. */
  async markFailed(db: Queryable, name: string): Promise<void> {
    await db.run(sql`update ${sql.id(this.#table)} set finished_at = ${new Date().toISOString()}
      where name = ${name} and state <> 'applied'`);
  }

  async remove(db: Queryable, name: string): Promise<void> {
    await db.run(sql`delete from ${sql.id(this.#table)} where name = ${name}`);
  }

  async #exists(db: Queryable): Promise<boolean> {
    const found =
      this.#dialect === 'sqlite'
        ? await db.value(sql`select 1 from sqlite_schema where type = 'table' and name = ${this.#table}`)
        : await db.value(sql`select 1 where to_regclass(${this.#table}) is not null`);
    return found !== undefined;
  }
}

/** True where the process that made the entry has certainly ended; for another machine that is unknown. */
export function hasEnded({ finishedAt, runner }: HistoryEntry): boolean {
  // It ended with an error, and said so.
  if (finishedAt !== null) return true;
  const [host, pid] = splitRunner(runner);
  if (host !== hostname() || !Number.isSafeInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function splitRunner(runner: string): [host: string, pid: number] {
  const at = runner.lastIndexOf(':');
  return [runner.slice(0, at), Number(runner.slice(at + 1))];
}
