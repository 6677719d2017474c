import { ConstraintError, openDatabase, transactional, type Database } from '../millpond/index.ts';
import { createQueries, type City, type DueJob, type Job, type Queries } from '../queries.ts';
import { toNearbyParams } from './nearby.ts';
import {
  CLAIM_MS,
  type CheckIn,
  type JobAction,
  type JobRun,
  type JsonBody,
  type Page,
  type Place,
  type ReportName,
  type Store,
} from './store.ts';

/**
 * *After*: the same service on millpond, on either engine. Queries join a running transaction automatically.
 */
export class AfterStore implements Store {
  readonly #database: Database;
  readonly #queries: Queries;

  constructor(database: Database) {
    this.#database = database;
    this.#queries = createQueries(database);
  }

  /** Reports are slow on purpose here, so slow queries are not logged; errors are. */
  static async open(url: string): Promise<AfterStore> {
    return new AfterStore(await openDatabase(url, { log: 'error' }));
  }

  cityById(id: number): Promise<City | undefined> {
    return this.#queries.cities.cityById({ id });
  }

  searchCities(words: string): Promise<JsonBody> {
    return this.#queries.cities.searchCities.json({ words });
  }

  citiesNear(place: Place): Promise<JsonBody> {
    return this.#queries.cities.citiesNear.json(toNearbyParams(place));
  }

  citiesOfCountry({ country, limit, offset }: Page): Promise<JsonBody> {
    return this.#queries.cities.citiesOfCountry.json({ country, limit, offset });
  }

  countries(): Promise<JsonBody> {
    return this.#queries.cities.countries.json();
  }

  trending(): Promise<JsonBody> {
    return this.#queries.cities.trendingCities.json();
  }

  crowdedPlaces(among: number): Promise<JsonBody> {
    return this.#queries.cities.crowdedPlaces.json({ among });
  }

  async checkIn({ cityId, visitor, note }: CheckIn): Promise<number | undefined> {
    try {
      return await this.#queries.cities.checkIn({ cityId, visitor, note, atMs: Date.now() });
    } catch (error) {
      if (error instanceof ConstraintError && error.kind === 'foreign-key') return undefined;
      throw error;
    }
  }

  jobs(): Promise<Job[]> {
    return this.#queries.jobs.allJobs();
  }

  async planJob(id: number, nextRunMs: number | null): Promise<void> {
    await this.#queries.jobs.planJob({ id, nextRunMs });
  }

  nextDueMs(nowMs: number): Promise<number | null> {
    return this.#queries.jobs.nextDue({ nowMs });
  }

  readonly claimDueJobs: (nowMs: number) => Promise<DueJob[]> = transactional(async (nowMs: number) => {
    const due = await this.#queries.jobs.dueJobs({ nowMs });
    await this.#queries.jobs.claimJob(due.map(({ id }) => ({ id, untilMs: nowMs + CLAIM_MS })));
    return due;
  });

  /** All of it or nothing. */
  readonly runAction: (action: JobAction) => Promise<void> = transactional(async (action: JobAction) => {
    const { jobs } = this.#queries;
    switch (action) {
      case 'refresh-trending':
        await jobs.lockTrending();
        await jobs.clearTrending();
        await jobs.fillTrending();
        break;
      case 'count-check-ins':
        await jobs.countCheckIns();
        break;
      case 'forget-old-runs':
        await jobs.forgetOldRuns();
        await jobs.forgetOldCounts();
        break;
    }
  });

  readonly finishJob: (run: JobRun) => Promise<void> = transactional(async (run: JobRun) => {
    const { job, startedMs, finishedMs, error, nextRunMs } = run;
    await this.#queries.jobs.recordRun({ id: job.id, dueMs: job.dueMs, startedMs, finishedMs, error });
    await this.#queries.jobs.planJob({ id: job.id, nextRunMs });
  });

  async runReport(name: ReportName, signal: AbortSignal): Promise<number> {
    const rows: unknown[] = await this.#queries.reports[name](undefined, { signal });
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
