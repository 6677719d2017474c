import type { City } from '../dataset/city.ts';
import { CHECK_IN, CITY_BY_ID } from '../sql/cities.ts';
import { ALL_JOBS, CLAIM_JOB, NEXT_DUE, PLAN_JOB, RECORD_RUN } from '../sql/jobs.ts';
import type { JobAction } from '../sql/jobs.ts';
import { REPORTS, type ReportName } from '../sql/reports.ts';
import { SQLITE_SQL } from '../sql/sqlite.ts';
import { LockedConnection } from './locked-connection.ts';
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

/** SQLITE_CONSTRAINT_FOREIGNKEY: https://sqlite.org/rescode.html#constraint_foreignkey */
const FOREIGN_KEY_FAILED = 787;

/** *Before* on SQLite: everything on one locked connection, on the event loop. */
export class BeforeStore implements Store {
  readonly #connection: LockedConnection;

  constructor(path: string) {
    this.#connection = new LockedConnection(path);
  }

  cityById(id: number): Promise<City | undefined> {
    return this.#connection.use(
      (connection) => connection.statement(CITY_BY_ID).get({ id }) as City | undefined,
    );
  }

  searchCities(words: string): Promise<string> {
    return this.#json(SQLITE_SQL.searchCities, { words });
  }

  citiesNear(place: Place): Promise<string> {
    return this.#json(SQLITE_SQL.citiesNear, toNearbyParams(place));
  }

  crowdedPlaces(among: number): Promise<string> {
    return this.#json(SQLITE_SQL.crowdedPlaces, { among });
  }

  checkIn({ cityId, visitor, note }: CheckIn): Promise<number | undefined> {
    return this.#connection.use((connection) => {
      try {
        const row = connection.statement(CHECK_IN).get({ cityId, visitor, note, atMs: Date.now() });
        return Number(row?.['id']);
      } catch (error) {
        if (error instanceof Error && 'errcode' in error && error.errcode === FOREIGN_KEY_FAILED)
          return undefined;
        throw error;
      }
    });
  }

  jobs(): Promise<Job[]> {
    return this.#connection.use((connection) => connection.statement(ALL_JOBS).all() as unknown as Job[]);
  }

  async planJob(id: number, nextRunMs: number | null): Promise<void> {
    await this.#connection.use((connection) => connection.statement(PLAN_JOB).run({ id, nextRunMs }));
  }

  nextDueMs(nowMs: number): Promise<number | null> {
    return this.#connection.use((connection) => {
      const row = connection.statement(NEXT_DUE).get({ nowMs }) as { dueMs: number | null };
      return row.dueMs;
    });
  }

  claimDueJobs(nowMs: number): Promise<DueJob[]> {
    return this.#connection.transaction((connection) => {
      const due = connection.statement(SQLITE_SQL.dueJobs).all({ nowMs }) as unknown as DueJob[];
      for (const { id } of due) connection.statement(CLAIM_JOB).run({ id, untilMs: nowMs + CLAIM_MS });
      return due;
    });
  }

  async runAction(action: JobAction): Promise<void> {
    await this.#connection.transaction((connection) => {
      for (const text of SQLITE_SQL.jobActions[action]) connection.statement(text).run();
    });
  }

  async finishJob({ job, startedMs, finishedMs, error, nextRunMs }: JobRun): Promise<void> {
    await this.#connection.transaction((connection) => {
      connection.statement(RECORD_RUN).run({ id: job.id, dueMs: job.dueMs, startedMs, finishedMs, error });
      connection.statement(PLAN_JOB).run({ id: job.id, nextRunMs });
    });
  }

  runReport(name: ReportName): Promise<number> {
    return this.#connection.use((connection) => connection.statement(REPORTS[name]).all().length);
  }

  writesPerCommit(): number {
    return 1;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #json(text: string, params: Record<string, string | number>): Promise<string> {
    return this.#connection.use((connection) => JSON.stringify(connection.statement(text).all(params)));
  }
}
