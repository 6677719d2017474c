import { openDatabase, sql, type Sql } from '../millpond/index.ts';
import { migrate } from '../millpond/migrate.ts';
import { createQueries, type Job } from '../queries.ts';
import { MIGRATIONS } from '../schema/queries-module.ts';
import type { City } from './city.ts';

/** Rows that go over to the writer, and commit, together. */
const CHUNK = 2000;

export interface LoadPlan {
  /** Of a database that is empty, or of a file that does not exist yet. */
  readonly url: string;
  readonly cities: readonly City[];
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, step: string) => void;
}

/** Six fields: the first is seconds. */
const FIRST_JOBS: readonly Omit<Job, 'id'>[] = [
  { name: 'trending cities', cron: '* * * * * *', action: 'refresh-trending' },
  { name: 'check-ins so far', cron: '* * * * * *', action: 'count-check-ins' },
  { name: 'trending cities, again', cron: '* * * * * *', action: 'refresh-trending' },
  { name: 'housekeeping', cron: '*/2 * * * * *', action: 'forget-old-runs' },
];

/** Makes the database of the service. Indexes come after the rows, which is faster that way. */
export async function loadCities({ url, cities, signal, onProgress }: LoadPlan): Promise<void> {
  await using db = await openDatabase(url, { name: false, log: 'error' });
  await migrate(db, { folder: MIGRATIONS, to: '0001_tables', signal });
  for (let start = 0; start < cities.length; start += CHUNK) {
    await db.batch(cities.slice(start, start + CHUNK).map(insertCity), { signal });
    onProgress(start, 'rows');
  }
  onProgress(cities.length, 'names, places and indexes');
  await migrate(db, { folder: MIGRATIONS, signal });
  await db.script('analyze', { signal });
  await createQueries(db).jobs.addJob(FIRST_JOBS);
}

function insertCity(city: City): Sql {
  return sql`
    insert into cities (id, name, alt_name, country, admin_code, feature, population, latitude, longitude)
    values (${city.id}, ${city.name}, ${city.alt_name}, ${city.country}, ${city.admin_code}, ${city.feature},
      ${city.population}, ${city.latitude}, ${city.longitude})`;
}
