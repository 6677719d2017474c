import type { City } from '../dataset/city.ts';
import { LockedConnection } from './locked-connection.ts';
import { toNearbyParams } from '../service/nearby.ts';
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

const textOf = readSqlTexts('sqlite');
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
      (connection) => connection.statement(textOf('city_by_id')).get({ id }) as City | undefined,
    );
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

  checkIn({ cityId, visitor, note }: CheckIn): Promise<number | undefined> {
    return this.#connection.use((connection) => {
      try {
        const row = connection.statement(textOf('check_in')).get({ cityId, visitor, note, atMs: Date.now() });
        return Number(row?.['id']);
      } catch (error) {
        if (error instanceof Error && 'errcode' in error && error.errcode === FOREIGN_KEY_FAILED)
          return undefined;
        throw error;
      }
    });
  }

  jobs(): Promise<Job[]> {
    return this.#connection.use(
      (connection) => connection.statement(textOf('all_jobs')).all() as unknown as Job[],
    );
  }

  async planJob(id: number, nextRunMs: number | null): Promise<void> {
    await this.#connection.use((connection) =>
      connection.statement(textOf('plan_job')).run({ id, nextRunMs }),
    );
  }

  nextDueMs(nowMs: number): Promise<number | null> {
    return this.#connection.use((connection) => {
      const row = connection.statement(textOf('next_due')).get({ nowMs }) as { dueMs: number | null };
      return row.dueMs;
    });
  }

  claimDueJobs(nowMs: number): Promise<DueJob[]> {
    return this.#connection.transaction((connection) => {
      const due = connection.statement(textOf('due_jobs')).all({ nowMs }) as unknown as DueJob[];
      for (const { id } of due)
        connection.statement(textOf('claim_job')).run({ id, untilMs: nowMs + CLAIM_MS });
      return due;
    });
  }

  async runAction(action: JobAction): Promise<void> {
    await this.#connection.transaction((connection) => {
      for (const name of ACTION_TEXTS[action]) connection.statement(textOf(name)).all();
    });
  }

  async finishJob({ job, startedMs, finishedMs, error, nextRunMs }: JobRun): Promise<void> {
    await this.#connection.transaction((connection) => {
      connection
        .statement(textOf('record_run'))
        .run({ id: job.id, dueMs: job.dueMs, startedMs, finishedMs, error });
      connection.statement(textOf('plan_job')).run({ id: job.id, nextRunMs });
    });
  }

  runReport(name: ReportName): Promise<number> {
    return this.#connection.use((connection) => connection.statement(textOf(name)).all().length);
  }

  writesPerCommit(): number {
    return 1;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #json(text: string, params: Record<string, string | number>): Promise<JsonBody> {
    return this.#connection.use((connection) =>
      Buffer.from(JSON.stringify(connection.statement(text).all(params))),
    );
  }
}
