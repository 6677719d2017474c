import type { City } from '../dataset/city.ts';
import type { DueJob, Job } from '../queries.ts';

export type { DueJob, Job };
export type JobAction = Job['action'];

export const REPORT_NAMES = ['ranking', 'squares', 'namesakes'] as const;
export type ReportName = (typeof REPORT_NAMES)[number];

/** A claim lasts this long; then somebody else may take the job. */
export const CLAIM_MS = 60_000;

/** A response body that is JSON already. */
export type JsonBody = Uint8Array<ArrayBuffer>;

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
  readonly radiusKm: number;
}

export interface CheckIn {
  readonly cityId: number;
  readonly visitor: string;
  readonly note: string;
}

/** A part of a country's cities. */
export interface Page {
  readonly country: string;
  readonly limit: number;
  readonly offset: number;
}

export interface NewNote {
  readonly cityId: number;
  readonly text: string;
  readonly tags: readonly string[];
}

/** What the HTTP API needs of a database. */
export interface CityStore {
  cityById(id: number): Promise<City | undefined>;
  searchCities(words: string): Promise<JsonBody>;
  citiesNear(place: Place): Promise<JsonBody>;
  citiesOfCountry(page: Page): Promise<JsonBody>;
  countries(): Promise<JsonBody>;
  trending(): Promise<JsonBody>;
  crowdedPlaces(among: number): Promise<JsonBody>;
  /** Resolves with the new id when the row is durable; undefined where there is no such city. */
  checkIn(checkIn: CheckIn): Promise<number | undefined>;
}

export interface JobRun {
  readonly job: DueJob;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly error: string | null;
  readonly nextRunMs: number | null;
}

/** What the scheduler needs of a database. */
export interface JobStore {
  jobs(): Promise<Job[]>;
  planJob(id: number, nextRunMs: number | null): Promise<void>;
  /** When the next unclaimed job is due; null where there is none. */
  nextDueMs(nowMs: number): Promise<number | null>;
  /** Marks the due jobs as taken, in one transaction: no two schedulers get the same one. */
  claimDueJobs(nowMs: number): Promise<DueJob[]>;
  runAction(action: JobAction): Promise<void>;
  /** Records the run and plans the next one, both or neither. */
  finishJob(run: JobRun): Promise<void>;
}

/** What the analyzer needs of a database. */
export interface ReportStore {
  /** Resolves with the number of rows. Stops at `signal` where the store can. */
  runReport(name: ReportName, signal: AbortSignal): Promise<number>;
}

/** The whole service on one database. There are several: before, on each engine, and after, on both. */
export interface Store extends CityStore, JobStore, ReportStore {
  /** How many single writes shared one commit, and its flush to the disk, on average. */
  writesPerCommit(): number;
  close(): Promise<void>;
}
