import { DatabaseSync } from 'node:sqlite';
import type { Target } from '../load/protocol.ts';
import { CROWDED_PLACES } from '../sql/cities.ts';

/** The size of the slow request that both versions get, in milliseconds on an idle machine. */
export const SLOW_QUERY_MS = 100;
const TRIAL = 4000;
/** Names of a few letters are left out: a search needs two. */
const EVERY_NTH = `
  select id, name, latitude, longitude
  from (select *, row_number() over (order by id) as place from cities where length(name) >= 4)
  where place % :step = 0`;

/** What the measurements need to know of the file, read with neither of the two versions. */
export interface Facts {
  readonly cities: number;
  readonly sqliteVersion: string;
  /** Cities to ask for, spread evenly over the table. */
  readonly targets: Target[];
  /** `:among` with which `CROWDED_PLACES` takes about `SLOW_QUERY_MS` here. */
  readonly among: number;
}

export function readFacts(path: string): Facts {
  // Not opened read-only: such a connection cannot take its -wal and -shm files away when it closes.
  using database = new DatabaseSync(path);
  const one = (text: string): unknown => database.prepare(text).get()?.['value'];
  const cities = Number(one('select count(*) as value from cities'));
  const spread = database.prepare(EVERY_NTH);
  return {
    cities,
    sqliteVersion: String(one('select sqlite_version() as value')),
    targets: spread.all({ step: Math.max(1, Math.floor(cities / 1000)) }) as unknown as Target[],
    among: calibrate(database, cities),
  };
}

/** How many of these check-ins are in the table, seen by a connection that had no part in writing them. */
export function countCheckIns(path: string, ids: readonly number[]): number {
  using database = new DatabaseSync(path);
  const found = database.prepare(
    'select count(*) as value from checkins where id in (select value from json_each(:ids))',
  );
  return Number(found.get({ ids: JSON.stringify(ids) })?.['value']);
}

function calibrate(database: DatabaseSync, cities: number): number {
  const statement = database.prepare(CROWDED_PLACES);
  const timed = (among: number): number => {
    const begunMs = performance.now();
    statement.all({ among });
    return performance.now() - begunMs;
  };
  timed(TRIAL); // reads the pages
  const trialMs = Math.min(timed(TRIAL), timed(TRIAL));
  const guess = Math.min(cities, Math.max(1, Math.round((TRIAL * SLOW_QUERY_MS) / trialMs)));
  // Larger cities come first and have more neighbours, so the cost is not quite proportional: once more.
  return Math.min(cities, Math.max(1, Math.round((guess * SLOW_QUERY_MS) / timed(guess))));
}
