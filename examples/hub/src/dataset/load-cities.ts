import { openDatabase, sql, type Database, type Sql } from '../millpond.ts';
import { sqlOf } from '../sql/dialect.ts';
import { FIRST_JOBS } from '../sql/jobs.ts';
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

/** Makes the database of the service: tables, cities, indexes, jobs. */
export async function loadCities({ url, cities, signal, onProgress }: LoadPlan): Promise<void> {
  await using db: Database = await openDatabase(url, { name: false, log: 'error' });
  const { tables, indexes } = sqlOf(db.dialect);
  await db.script(tables);
  for (let start = 0; start < cities.length; start += CHUNK) {
    await db.batch(cities.slice(start, start + CHUNK).map(insertCity), { signal });
    onProgress(start, 'rows');
  }
  onProgress(cities.length, 'names, places and indexes');
  await db.script(indexes, { signal });
  await db.batch(
    FIRST_JOBS.map(
      ({ name, cron, action }) =>
        sql`insert into jobs (name, cron, action) values (${name}, ${cron}, ${action})`,
    ),
  );
}

function insertCity(city: City): Sql {
  return sql`
    insert into cities (id, name, alt_name, country, admin_code, feature, population, latitude, longitude)
    values (${city.id}, ${city.name}, ${city.alt_name}, ${city.country}, ${city.admin_code}, ${city.feature},
      ${city.population}, ${city.latitude}, ${city.longitude})`;
}
