import { DatabaseError } from 'pg';
import type { City } from '../dataset/city.ts';
import { toNearbyParams } from '../service/nearby.ts';
import { PooledConnections } from './pooled-connections.ts';
import { ACTION_TEXTS, readSqlTexts } from './sql-texts.ts';
import {
  CLAIM_MS,
  type CheckIn,
  type DueJob,
  type Job,
  type JobAction,
  type JobRun,
  type JsonBody,
  type Page,
  type Place,
  type ReportName,
  type Store,
} from '../service/store.ts';

const textOf = readSqlTexts('postgres');
/** foreign_key_violation: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const FOREIGN_KEY_FAILED = '23503';

/** *Before* on PostgreSQL: what `before-store.ts` had to become, every call of it. */
export class BeforePostgresStore implements Store {
  readonly #connections: PooledConnections;

  constructor(url: string) {
    this.#connections = new PooledConnections(url);
  }

  async cityById(id: number): Promise<City | undefined> {
    const [city] = await this.#connections.all(textOf('city_by_id'), { id });
    return city as City | undefined;
  }

  searchCities(words: string): Promise<JsonBody> {
    return this.#json(textOf('search_cities'), { words });
  }

  citiesNear(place: Place): Promise<JsonBody> {
    return this.#json(textOf('cities_near'), toNearbyParams(place));
  }

  citiesOfCountry({ country, limit, offset }: Page): Promise<JsonBody> {
    return this.#json(textOf('cities_of_country'), { country, limit, offset });
  }

  countries(): Promise<JsonBody> {
    return this.#json(textOf('countries'), {});
  }

  trending(): Promise<JsonBody> {
    return this.#json(textOf('trending_cities'), {});
  }

  crowdedPlaces(among: number): Promise<JsonBody> {
    return this.#json(textOf('crowded_places'), { among });
  }

  async checkIn({ cityId, visitor, note }: CheckIn): Promise<number | undefined> {
    try {
      const [row] = await this.#connections.all(textOf('check_in'), {
        cityId,
        visitor,
        note,
        atMs: Date.now(),
      });
      return Number(row?.['id']);
    } catch (error) {
      if (error instanceof DatabaseError && error.code === FOREIGN_KEY_FAILED) return undefined;
      throw error;
    }
  }

  async jobs(): Promise<Job[]> {
    return (await this.#connections.all(textOf('all_jobs'))) as unknown as Job[];
  }

  async planJob(id: number, nextRunMs: number | null): Promise<void> {
    await this.#connections.all(textOf('plan_job'), { id, nextRunMs });
  }

  async nextDueMs(nowMs: number): Promise<number | null> {
    const [row] = await this.#connections.all(textOf('next_due'), { nowMs });
    return row?.['dueMs'] as number | null;
  }

  claimDueJobs(nowMs: number): Promise<DueJob[]> {
    const connections = this.#connections;
    return connections.transaction(async (connection) => {
      const due = (await connections.all(textOf('due_jobs'), { nowMs }, connection)) as unknown as DueJob[];
      for (const { id } of due)
        await connections.all(textOf('claim_job'), { id, untilMs: nowMs + CLAIM_MS }, connection);
      return due;
    });
  }

  async runAction(action: JobAction): Promise<void> {
    const connections = this.#connections;
    await connections.transaction(async (connection) => {
      for (const name of ACTION_TEXTS[action]) await connections.all(textOf(name), {}, connection);
    });
  }

  async finishJob({ job, startedMs, finishedMs, error, nextRunMs }: JobRun): Promise<void> {
    const connections = this.#connections;
    await connections.transaction(async (connection) => {
      const { id, dueMs } = job;
      await connections.all(textOf('record_run'), { id, dueMs, startedMs, finishedMs, error }, connection);
      await connections.all(textOf('plan_job'), { id, nextRunMs }, connection);
    });
  }

  async runReport(name: ReportName): Promise<number> {
    return (await this.#connections.all(textOf(name))).length;
  }

  writesPerCommit(): number {
    return 1;
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #json(text: string, params: Record<string, string | number>): Promise<JsonBody> {
    return Buffer.from(JSON.stringify(await this.#connections.all(text, params)));
  }
}
