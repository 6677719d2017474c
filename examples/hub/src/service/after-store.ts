import type { City } from '../dataset/city.ts';
import { ConstraintError, getDb, openDatabase, sql, transactional, type Database } from '../millpond.ts';
import { CHECK_IN, CITY_BY_ID } from '../sql/cities.ts';
import { sqlOf, type DialectSql } from '../sql/dialect.ts';
import { ALL_JOBS, NEXT_DUE, PLAN_JOB, RECORD_RUN } from '../sql/jobs.ts';
import type { JobAction } from '../sql/jobs.ts';
import { REPORTS, type ReportName } from '../sql/reports.ts';
import { toNearbyParams } from './nearby.ts';
import {
  CLAIM_MS,
  type CheckIn,
  type DueJob,
  type Job,
  type JobRun,
  type Place,
  type Store,
} from './store.ts';

/**
 * *After*: the same service on millpond, on either engine. What `getDb()` gives joins a running transaction by
 * itself.
 */
export class AfterStore implements Store {
  readonly #database: Database;
  /** All that this file knows of which engine it is. */
  readonly #sql: DialectSql;

  private constructor(database: Database) {
    this.#database = database;
    this.#sql = sqlOf(database.dialect);
  }

  /** Reports are slow on purpose here, so slow queries are not logged; errors are. */
  static async open(url: string): Promise<AfterStore> {
    return new AfterStore(await openDatabase(url, { log: 'error' }));
  }

  cityById(id: number): Promise<City | undefined> {
    return getDb().get<City>(CITY_BY_ID, { id });
  }

  searchCities(words: string): Promise<Uint8Array> {
    return getDb().json(this.#sql.searchCities, { words });
  }

  citiesNear(place: Place): Promise<Uint8Array> {
    return getDb().json(this.#sql.citiesNear, toNearbyParams(place));
  }

  crowdedPlaces(among: number): Promise<Uint8Array> {
    return getDb().json(this.#sql.crowdedPlaces, { among });
  }

  async checkIn({ cityId, visitor, note }: CheckIn): Promise<number | undefined> {
    try {
      return await getDb().value<number>(CHECK_IN, { cityId, visitor, note, atMs: Date.now() });
    } catch (error) {
      if (error instanceof ConstraintError && error.kind === 'foreign-key') return undefined;
      throw error;
    }
  }

  jobs(): Promise<Job[]> {
    return getDb().all<Job>(ALL_JOBS);
  }

  async planJob(id: number, nextRunMs: number | null): Promise<void> {
    await getDb().run(PLAN_JOB, { id, nextRunMs });
  }

  async nextDueMs(nowMs: number): Promise<number | null> {
    return (await getDb().value<number | null>(NEXT_DUE, { nowMs })) ?? null;
  }

  readonly claimDueJobs: (nowMs: number) => Promise<DueJob[]> = transactional(async (nowMs: number) => {
    const due = await getDb().all<DueJob>(this.#sql.dueJobs, { nowMs });
    if (due.length > 0) {
      const ids = sql.join(due.map(({ id }) => id));
      await getDb().run(sql`update jobs set claimed_until_ms = ${nowMs + CLAIM_MS} where id in (${ids})`);
    }
    return due;
  });

  /** One trip and one transaction: all statements or none. */
  async runAction(action: JobAction): Promise<void> {
    await getDb().batch(this.#sql.jobActions[action]);
  }

  async finishJob({ job, startedMs, finishedMs, error, nextRunMs }: JobRun): Promise<void> {
    await getDb().batch([
      [RECORD_RUN, { id: job.id, dueMs: job.dueMs, startedMs, finishedMs, error }],
      [PLAN_JOB, { id: job.id, nextRunMs }],
    ]);
  }

  async runReport(name: ReportName, signal: AbortSignal): Promise<number> {
    const rows = await getDb().all(REPORTS[name], {}, { signal, name });
    return rows.length;
  }

  writesPerCommit(): number {
    const { sqlite, postgres } = this.#database.stats();
    const { groupedWrites, groupCommits } = sqlite ?? postgres ?? {};
    return Number(groupedWrites) / Math.max(1, Number(groupCommits));
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
