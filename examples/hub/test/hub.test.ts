import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countInFile } from '../src/arena/sqlite-arena.ts';
import { PostgresServer } from '../src/arena/postgres-server.ts';
import { parseArguments } from '../src/arguments.ts';
import type { City } from '../src/dataset/city.ts';
import { copyDatabase } from '../src/dataset/data-folder.ts';
import { loadCities } from '../src/dataset/load-cities.ts';
import { median } from '../src/measure/figures.ts';
import { AfterStore } from '../src/service/after-store.ts';
import { Analyzer } from '../src/service/analyzer.ts';
import { createPlainApp } from '../src/plain/plain-app.ts';
import { BeforePostgresStore } from '../src/plain/before-postgres-store.ts';
import { BeforeStore } from '../src/plain/before-store.ts';
import { listen, type HttpServer } from '../src/plain/http-server.ts';
import { Scheduler } from '../src/service/scheduler.ts';
import type { Store } from '../src/service/store.ts';
import { squeeze, toBar, toSparkline } from '../src/report/spark.ts';

const CITIES: City[] = [
  city({ id: 1, name: 'Berlin', country: 'DE', population: 3_426_354, latitude: 52.524, longitude: 13.411 }),
  city({ id: 2, name: 'Potsdam', country: 'DE', population: 145_292, latitude: 52.399, longitude: 13.066 }),
  city({
    id: 3,
    name: 'São Paulo',
    country: 'BR',
    population: 10_021_295,
    latitude: -23.548,
    longitude: -46.636,
  }),
  city({ id: 4, name: 'Bern', country: 'CH', population: 121_631, latitude: 46.948, longitude: 7.447 }),
];

/** A copy of the data with a store on it. */
interface Opened {
  readonly store: Store;
  readonly countCheckIns: (ids: readonly number[]) => Promise<number>;
}

const folder = mkdtempSync(join(tmpdir(), 'hub-'));
const loaded = join(folder, 'loaded.db');
let postgres: PostgresServer;

async function openOnSqlite(name: string, open: (path: string) => Promise<Store>): Promise<Opened> {
  const path = join(folder, `${name}.db`);
  copyDatabase(loaded, path);
  return { store: await open(path), countCheckIns: async (ids) => countInFile(path, ids) };
}

async function openOnPostgres(name: string, open: (url: string) => Promise<Store>): Promise<Opened> {
  await postgres.query('postgres', `create database "${name}" template loaded`);
  const text = 'select count(*)::int as found from checkins where id = any($1)';
  const countCheckIns = async (ids: readonly number[]): Promise<number> =>
    (await postgres.query<{ found: number }>(name, text, [ids]))[0]!.found;
  return { store: await open(postgres.urlOf(name)), countCheckIns };
}

const VERSIONS: readonly { version: string; open: (name: string) => Promise<Opened> }[] = [
  { version: 'before on SQLite', open: (name) => openOnSqlite(name, async (path) => new BeforeStore(path)) },
  {
    version: 'after on SQLite',
    open: (name) => openOnSqlite(name, (path) => AfterStore.open(`sqlite:${path}`)),
  },
  {
    version: 'before on PostgreSQL',
    open: (name) => openOnPostgres(name, async (url) => new BeforePostgresStore(url)),
  },
  { version: 'after on PostgreSQL', open: (name) => openOnPostgres(name, (url) => AfterStore.open(url)) },
];

beforeAll(async () => {
  const { signal } = new AbortController();
  postgres = await PostgresServer.start(join(folder, 'postgres'), signal);
  await postgres.query('postgres', 'create database loaded');
  for (const url of [`sqlite:${loaded}`, postgres.urlOf('loaded')]) {
    await loadCities({ url, cities: CITIES, signal, onProgress: () => undefined });
  }
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  // A hundred databases to remove, on a disk that others use too.
}, 180_000);

describe.each(VERSIONS)('the service, $version', ({ version, open }) => {
  let store: Store;
  let countCheckIns: Opened['countCheckIns'];
  let server: HttpServer;

  beforeEach(async ({ task }) => {
    ({ store, countCheckIns } = await open(`${version}-${task.id}`));
    server = await listen(createPlainApp(store), 0);
  });
  afterEach(async () => {
    await server.close();
    await store.close();
  });

  const get = async (route: string): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(server.url + route);
    return { status: response.status, body: await response.json() };
  };
  const post = async (body: string): Promise<{ status: number; body: unknown }> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/checkins`, { method: 'POST', headers, body });
    return { status: response.status, body: await response.json() };
  };

  it('looks a city up by its id', async () => {
    expect(await get('/cities/1')).toEqual({ status: 200, body: CITIES[0] });
    expect(await get('/cities/99')).toEqual({ status: 404, body: { error: 'no such city' } });
  });

  it('finds names by their beginning, without accents, the largest city first', async () => {
    expect(await get('/cities?q=ber')).toMatchObject({
      status: 200,
      body: [{ name: 'Berlin' }, { name: 'Bern' }],
    });
    expect(await get('/cities?q=sao%20pa')).toMatchObject({ status: 200, body: [{ name: 'São Paulo' }] });
  });

  it('reads operators of a search as plain words', async () => {
    for (const q of ['"berlin* NEAR(', "'berlin' & !near:*", 'berlin OR bern']) {
      const found = await get(`/cities?q=${encodeURIComponent(q)}`);
      expect(found).toEqual({ status: 200, body: [] });
    }
  });

  it('finds nearby places, the nearest first', async () => {
    const found = await get('/nearby?lat=52.52&lon=13.41');
    expect(found).toMatchObject({ status: 200, body: [{ name: 'Berlin' }, { name: 'Potsdam', km: 26.9 }] });
    expect(await get('/nearby?lat=52.52&lon=13.41&km=5')).toMatchObject({ body: [{ name: 'Berlin' }] });
  });

  it('counts the neighbours of the largest cities', async () => {
    expect(await get('/crowded?among=2')).toMatchObject({
      status: 200,
      body: [{ neighbours: 1 }, { neighbours: 1 }],
    });
  });

  it('answers a check-in when its row is in the table', async () => {
    const answer = await post(JSON.stringify({ cityId: 1, visitor: 'Ada', note: 'on time' }));
    expect(answer).toMatchObject({ status: 201, body: { id: 1 } });
    expect(await countCheckIns([1, 2])).toBe(1);
  });

  it('refuses a check-in for a city that is not there', async () => {
    const answer = await post(JSON.stringify({ cityId: 99, visitor: 'Ada' }));
    expect(answer).toEqual({ status: 422, body: { error: 'no such city' } });
    expect(await countCheckIns([1])).toBe(0);
  });

  it.each([
    '/cities/berlin',
    '/cities/-1',
    '/cities?q=b',
    '/cities',
    '/nearby?lat=91&lon=0',
    '/nearby?lat=1',
    '/nearby?lat=1&lon=',
    '/nearby?lat=1&lon=1&km=9999',
    '/crowded?among=0',
  ])('explains what is wrong with %s', async (route) => {
    expect(await get(route)).toMatchObject({ status: 400, body: { error: expect.stringMatching(/\w{3}/) } });
  });

  it.each([
    ['is not JSON', 'nonsense'],
    ['is no object', 'null'],
    ['names no visitor', '{"cityId":1}'],
    ['has a note that is too long', JSON.stringify({ cityId: 1, visitor: 'Ada', note: 'x'.repeat(201) })],
  ])('explains what is wrong with a check-in that %s', async (_, body) => {
    expect(await post(body)).toMatchObject({ status: 400, body: { error: expect.stringMatching(/\w{3}/) } });
  });

  it('refuses a check-in of several kilobytes before it is read', async () => {
    const response = await fetch(`${server.url}/checkins`, { method: 'POST', body: 'x'.repeat(5000) });
    expect(response.status).toBe(413);
  });

  it('runs each job once when it is due, and plans its next run', async () => {
    let now = Date.UTC(2030, 0, 1, 12, 0, 0, 500);
    const scheduler = new Scheduler(store, () => now);
    await scheduler.planAll();
    expect(await scheduler.runDue()).toBe(0);
    now = Date.UTC(2030, 0, 1, 12, 0, 1, 20);
    expect(await scheduler.runDue()).toBe(3);
    expect(await scheduler.runDue()).toBe(0);
    expect(await store.nextDueMs(now)).toBe(Date.UTC(2030, 0, 1, 12, 0, 2));
    now = Date.UTC(2030, 0, 1, 12, 0, 2, 300);
    expect(await scheduler.runDue()).toBe(4);
    expect(scheduler.stats()).toEqual({ runs: 7, onTime: 3, failed: 0, worstDelayMs: 300 });
  });

  it('gives a due job to one of two schedulers', async () => {
    await store.planJob(1, 1000);
    const claims = await Promise.all([store.claimDueJobs(2000), store.claimDueJobs(2000)]);
    expect(claims.flat().map(({ id }) => id)).toEqual([1]);
  });

  it('gives a job away again when its holder did not finish in time', async () => {
    await store.planJob(1, 1000);
    await store.claimDueJobs(2000);
    expect(await store.claimDueJobs(61_000)).toEqual([]);
    expect((await store.claimDueJobs(62_001)).map(({ id }) => id)).toEqual([1]);
  });

  it('runs the same action twice at once', async () => {
    for (const cityId of [1, 2, 3, 1]) await store.checkIn({ cityId, visitor: 'Ada', note: '' });
    const refreshes = Array.from({ length: 8 }, () => store.runAction('refresh-trending'));
    expect(await Promise.all(refreshes)).toHaveLength(8);
  });

  it('starts and stops the scheduler and the analyzer with nothing left running', async () => {
    const scheduler = new Scheduler(store);
    const analyzer = new Analyzer(store, 1);
    await scheduler.start();
    analyzer.start();
    await expect.poll(() => analyzer.stats().reports).toBeGreaterThan(3);
    await Promise.all([scheduler.stop(), analyzer.stop()]);
    expect(analyzer.stats().failed).toBe(0);
    expect(scheduler.stats().failed).toBe(0);
  });
});

describe('the command line', () => {
  it('compares for some seconds unless told otherwise', () => {
    expect(parseArguments([])).toEqual({ kind: 'compare', dialect: 'sqlite', seconds: 6 });
    expect(parseArguments(['--seconds', '30', '--postgres'])).toEqual({
      kind: 'compare',
      dialect: 'postgres',
      seconds: 30,
    });
    expect(parseArguments(['--serve', '--port', '0'])).toEqual({ kind: 'serve', dialect: 'sqlite', port: 0 });
    expect(parseArguments(['--serve', '--postgres'])).toMatchObject({ kind: 'serve', dialect: 'postgres' });
    expect(parseArguments(['-h'])).toEqual({ kind: 'help' });
  });

  it.each([
    [['--second', '3'], "Unknown option '--second'"],
    [['--seconds'], "Option '--seconds <value>' argument missing"],
    [['--seconds', '0'], '--seconds is a whole number from 1 to 600, not "0"'],
    [['--seconds', '3', '--serve'], '--seconds is for measuring and does not go with --serve'],
    [['--serve', '--port', 'http'], '--port is a whole number from 0 to 65535, not "http"'],
    [['--port', '1'], '--port goes with --serve only'],
    [['now'], "Unexpected argument 'now'"],
  ])('explains what is wrong with %j', (given, message) => {
    expect(() => parseArguments(given)).toThrow(message);
  });
});

describe('the report', () => {
  it('draws values as high as their share', () => {
    expect(toSparkline([0, 1, 50, 100], 100)).toBe('·▁▅█');
    expect(toBar(50, 100, 3)).toBe('█▌');
    expect(toBar(0.001, 100, 3)).toBe('▏');
    expect(squeeze([1, 3, 5, 7, 9], 3)).toEqual([2, 6, 9]);
  });

  it('takes the median', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]);
  });
});

function city(given: Pick<City, 'id' | 'name' | 'country' | 'population' | 'latitude' | 'longitude'>): City {
  return { alt_name: '', admin_code: '', feature: 'PPL', ...given };
}
