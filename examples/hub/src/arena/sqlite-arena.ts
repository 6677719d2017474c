import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CITIES_FILE, copyDatabase, createRunFolder } from '../dataset/data-folder.ts';
import { ensureCities } from '../dataset/ensure-cities.ts';
import type { Target } from '../load/protocol.ts';
import { AfterStore } from '../service/after-store.ts';
import { BeforeStore } from '../plain/before-store.ts';
import { readSqlTexts } from '../plain/sql-texts.ts';
import type { Store } from '../service/store.ts';
import { calibrate, type Arena, type Facts, type Labels, type Version } from './arena.ts';

const LABELS: Labels = {
  title: 'One SQLite file: HTTP API, scheduler and analyzer at once',
  before: 'one locked connection',
  facets: { 'both sides': 'WAL, synchronous=FULL, same SQL, indexes and HTTP code, own copies' },
};

/** Two copies of the file of cities, gone when the scope ends. */
export async function openSqliteArena(signal: AbortSignal): Promise<Arena> {
  await ensureCities(signal);
  using stack = new DisposableStack();
  const folder = stack.use(createRunFolder());
  const before = join(folder.path, 'before.db');
  const after = join(folder.path, 'after.db');
  const arena: Omit<Arena, keyof AsyncDisposable> = {
    labels: LABELS,
    facts: await readFacts(CITIES_FILE),
    versions: [
      createVersion('before', before, async () => new BeforeStore(before)),
      createVersion('after', after, () => AfterStore.open(`sqlite:${after}`)),
    ],
  };
  const kept = stack.move();
  return { ...arena, [Symbol.asyncDispose]: async () => kept.dispose() };
}

/** How many of these check-ins are in the file. */
export function countInFile(path: string, ids: readonly number[]): number {
  using database = new DatabaseSync(path);
  const found = database.prepare(
    'select count(*) as value from checkins where id in (select value from json_each(:ids))',
  );
  return Number(found.get({ ids: JSON.stringify(ids) })?.['value']);
}

function createVersion(name: Version['name'], path: string, openStore: () => Promise<Store>): Version {
  copyDatabase(CITIES_FILE, path);
  return { name, url: `sqlite:${path}`, openStore, countCheckIns: async (ids) => countInFile(path, ids) };
}

async function readFacts(path: string): Promise<Facts> {
  // Not opened read-only: such a connection cannot take its -wal and -shm files away when it closes.
  using database = new DatabaseSync(path);
  const one = (text: string): unknown => database.prepare(text).get()?.['value'];
  const cities = Number(one('select count(*) as value from cities'));
  const textOf = readSqlTexts('sqlite');
  const crowded = database.prepare(textOf('crowded_places'));
  return {
    cities,
    engine: `SQLite ${String(one('select sqlite_version() as value'))}`,
    targets: database.prepare(textOf('sample_cities')).all() as unknown as Target[],
    among: await calibrate((among) => crowded.all({ among }), cities),
  };
}
