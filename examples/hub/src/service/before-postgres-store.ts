import { DatabaseError } from 'pg';
import type { City } from '../dataset/city.ts';
import { CHECK_IN, CITY_BY_ID } from '../sql/cities.ts';
import { ALL_JOBS, CLAIM_JOB, NEXT_DUE, PLAN_JOB, RECORD_RUN } from '../sql/jobs.ts';
import type { JobAction } from '../sql/jobs.ts';
import { POSTGRES_SQL } from '../sql/postgres.ts';
import { REPORTS, type ReportName } from '../sql/reports.ts';
import { toNearbyParams } from './nearby.ts';
import { PooledConnections } from './pooled-connections.ts';
import {
  CLAIM_MS,
  type CheckIn,
  type DueJob,
  type Job,
  type JobRun,
  type Place,
  type Store,
} from './store.ts';

/** foreign_key_violation: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const FOREIGN_KEY_FAILED = '23503';

/** *Before* on PostgreSQL: what `before-store.ts` had to become, every call of it. */
export class BeforePostgresStore implements Store {
  readonly #connections: PooledConnections;

  constructor(url: string) {
    this.#connections = new PooledConnections(url);
  }

  async cityById(id: number): Promise<City | undefined> {
    const [city] = await this.#connections.all(CITY_BY_ID, { id });
    return city as City | undefined;
  }

  searchCities(words: string): Promise<string> {
    return this.#json(POSTGRES_SQL.searchCities, { words });
  }

  citiesNear(place: Place): Promise<string> {
    return this.#json(POSTGRES_SQL.citiesNear, toNearbyParams(place));
  }

  crowdedPlaces(among: number): Promise<string> {
    return this.#json(POSTGRES_SQL.crowdedPlaces, { among });
  }

  async checkIn({ cityId, visitor, note }: CheckIn): Promise<number | undefined> {
    try {
      const [row] = await this.#connections.all(CHECK_IN, { cityId, visitor, note, atMs: Date.now() });
      return Number(row?.['id']);
    } catch (error) {
      if (error instanceof DatabaseError && error.code === FOREIGN_KEY_FAILED) return undefined;
      throw error;
    }
  }

  async jobs(): Promise<Job[]> {
    return (await this.#connections.all(ALL_JOBS)) as unknown as Job[];
  }

  async planJob(id: number, nextRunMs: number | null): Promise<void> {
    await this.#connections.all(PLAN_JOB, { id, nextRunMs });
  }

  async nextDueMs(nowMs: number): Promise<number | null> {
    const [row] = await this.#connections.all(NEXT_DUE, { nowMs });
    return row?.['dueMs'] as number | null;
  }

  claimDueJobs(nowMs: number): Promise<DueJob[]> {
    const connections = this.#connections;
    return connections.transaction(async (connection) => {
      const due = (await connections.all(POSTGRES_SQL.dueJobs, { nowMs }, connection)) as unknown as DueJob[];
      for (const { id } of due)
        await connections.all(CLAIM_JOB, { id, untilMs: nowMs + CLAIM_MS }, connection);
      return due;
    });
  }

  async runAction(action: JobAction): Promise<void> {
    const connections = this.#connections;
    await connections.transaction(async (connection) => {
      for (const text of POSTGRES_SQL.jobActions[action]) await connections.all(text, {}, connection);
    });
  }

  async finishJob({ job, startedMs, finishedMs, error, nextRunMs }: JobRun): Promise<void> {
    const connections = this.#connections;
    await connections.transaction(async (connection) => {
      const { id, dueMs } = job;
      await connections.all(RECORD_RUN, { id, dueMs, startedMs, finishedMs, error }, connection);
      await connections.all(PLAN_JOB, { id, nextRunMs }, connection);
    });
  }

  async runReport(name: ReportName): Promise<number> {
    return (await this.#connections.all(REPORTS[name])).length;
  }

  writesPerCommit(): number {
    return 1;
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #json(text: string, params: Record<string, string | number>): Promise<string> {
    return JSON.stringify(await this.#connections.all(text, params));
  }
}
