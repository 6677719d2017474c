import type { City } from '../dataset/city.ts';
import { ConstraintError, getDb, openDatabase, sql, transactional, type Database } from '../millpond.ts';
import { CHECK_IN, CITIES_NEAR, CITY_BY_ID, CROWDED_PLACES, SEARCH_CITIES } from '../sql/cities.ts';
import { ALL_JOBS, DUE_JOBS, JOB_ACTIONS, NEXT_DUE, PLAN_JOB, RECORD_RUN } from '../sql/jobs.ts';
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

/** *After*: the same service on millpond. What `getDb()` gives joins a running transaction by itself. */
export class AfterStore implements Store {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Reports are slow on purpose here, so slow queries are not logged; errors are. */
  static async open(path: string): Promise<AfterStore> {
    return new AfterStore(await openDatabase(`sqlite:${path}`, { log: 'error' }));
  }

  cityById(id: number): Promise<City | undefined> {
    return getDb().get<City>(CITY_BY_ID, { id });
  }

  searchCities(match: string): Promise<Uint8Array> {
    return getDb().json(SEARCH_CITIES, { match });
  }

  citiesNear(place: Place): Promise<Uint8Array> {
    return getDb().json(CITIES_NEAR, toNearbyParams(place));
  }

  crowdedPlaces(among: number): Promise<Uint8Array> {
    return getDb().json(CROWDED_PLACES, { among });
  }

  async checkIn({ cityId, visitor, note }: CheckIn): Promise<number | undefined> {
    try {
      const done = await getDb().run(CHECK_IN, { cityId, visitor, note, atMs: Date.now() });
      return Number(done.lastInsertId);
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
    const due = await getDb().all<DueJob>(DUE_JOBS, { nowMs });
    if (due.length > 0) {
      const ids = sql.join(due.map(({ id }) => id));
      await getDb().run(sql`update jobs set claimed_until_ms = ${nowMs + CLAIM_MS} where id in (${ids})`);
    }
    return due;
  });

  /** One trip to the writer and one transaction: all statements or none. */
  async runAction(action: JobAction): Promise<void> {
    await getDb().batch(JOB_ACTIONS[action]);
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
    const { groupedWrites, groupCommits } = this.#database.stats().sqlite ?? {};
    return Number(groupedWrites) / Math.max(1, Number(groupCommits));
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
