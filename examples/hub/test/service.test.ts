import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresServer } from '../src/arena/postgres-server.ts';
import type { City } from '../src/dataset/city.ts';
import { loadCities } from '../src/dataset/load-cities.ts';
import { BeforePostgresStore } from '../src/plain/before-postgres-store.ts';
import { BeforeStore } from '../src/plain/before-store.ts';
import { listen } from '../src/plain/http-server.ts';
import { createPlainApp } from '../src/plain/plain-app.ts';
import { startHub, type RunningHub } from '../src/service/start-hub.ts';

const CHROMIUM = '/usr/bin/chromium';
const ORIGIN = 'http://localhost:5173';
const MONITOR_TOKEN = 'the token of this test';
const COUNTRIES = ['AT', 'BR', 'CH', 'DE'] as const;
/** More than one page of a list, and more than 1,000 bytes. */
const CITIES = Array.from({ length: 480 }, (_, index): City => ({
  id: index + 1,
  name: index === 0 ? 'São Paulo' : `Town ${index}`,
  alt_name: '',
  country: COUNTRIES[index % COUNTRIES.length]!,
  admin_code: '01',
  feature: 'PPL',
  population: 10_000 + index,
  latitude: 40 + index / 100,
  longitude: 10 + index / 100,
}));

const folder = mkdtempSync(join(tmpdir(), 'hub-service-'));
const urls: Record<string, string> = { sqlite: `sqlite:${join(folder, 'hub.db')}` };
let postgres: PostgresServer;

beforeAll(async () => {
  const { signal } = new AbortController();
  postgres = await PostgresServer.start(join(folder, 'postgres'), signal);
  urls['postgres'] = postgres.urlOf('postgres');
  for (const url of Object.values(urls)) {
    await loadCities({ url, cities: CITIES, signal, onProgress: () => undefined });
  }
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe.each(['sqlite', 'postgres'])('the service on %s', (dialect) => {
  let hub: RunningHub;

  beforeAll(async () => {
    hub = await startHub({
      url: urls[dialect]!,
      port: 0,
      tokenSecret: 'a secret of more than thirty-two bytes',
      monitorToken: MONITOR_TOKEN,
      origins: [ORIGIN],
      requestsPerMinute: 1000,
      analyzerPauseMs: 50,
    });
  });
  afterAll(async () => {
    await hub[Symbol.asyncDispose]();
  });

  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(hub.url + path, { headers });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> => {
    const given = { 'content-type': 'application/json', ...headers };
    return fetch(hub.url + path, { method: 'POST', headers: given, body: JSON.stringify(body) });
  };
  const signIn = async (name: string): Promise<{ authorization: string }> => {
    await post('/users', { name, password: 'difference' });
    const answer = await post('/tokens', { name, password: 'difference' });
    const { token } = (await answer.json()) as { token: string };
    return { authorization: `Bearer ${token}` };
  };

  it('answers as the plain one does (M13)', async () => {
    const store =
      dialect === 'sqlite'
        ? new BeforeStore(urls['sqlite']!.slice('sqlite:'.length))
        : new BeforePostgresStore(urls['postgres']!);
    const plain = await listen(createPlainApp(store), 0);
    try {
      for (const path of [
        ...['/cities/1', '/cities/999', '/cities?q=sao', '/cities?country=AT', '/cities?country=AT&page=2'],
        ...[
          '/cities?country=a',
          '/nearby?lat=40.1&lon=10.1&km=20',
          '/countries',
          '/crowded?among=30',
          '/nowhere',
        ],
      ]) {
        const [one, other] = [await get(path), await fetch(plain.url + path)];
        expect([path, one.status]).toEqual([path, other.status]);
        // Of errors, the full one says more.
        const [body, plainBody] = [await one.text(), await other.text()];
        expect([path, one.ok ? body : '']).toEqual([path, one.ok ? plainBody : '']);
      }
    } finally {
      await plain.close();
      await store.close();
    }
  });

  it('keeps lists, compresses them, and sends them once to those who have them (M2, M5)', async () => {
    const { hits } = hub.cacheStats();
    const first = await get('/cities?country=DE', { 'accept-encoding': 'br' });
    expect(await first.json()).toHaveLength(100);
    expect(first.headers.get('content-encoding')).toBe('br');
    const again = await get('/cities?country=DE', { 'if-none-match': first.headers.get('etag')! });
    expect(again.status).toBe(304);
    expect(hub.cacheStats().hits).toBe(hits + 1);
  });

  it('drops what it kept when a commit changed it, and nothing else', async () => {
    expect(await (await get('/trending')).json()).toEqual([]);
    await get('/countries');
    expect((await post('/checkins', { cityId: 7, visitor: 'Ada' })).status).toBe(201);
    await expect.poll(async () => (await get('/trending')).json()).toMatchObject([{ id: 7 }]);
    const missesOfCountries = async (): Promise<number> => {
      expect((await post('/checkins', { cityId: 7, visitor: 'Ada' })).status).toBe(201);
      const { misses } = hub.cacheStats();
      await get('/countries');
      return hub.cacheStats().misses - misses;
    };
    // What a statement touches may not be known before it ran once.
    await expect.poll(missesOfCountries).toBe(0);
  });

  it('lets users write notes, and everybody find them', async () => {
    const user = await signIn('Ada');
    const note = { cityId: 1, text: 'Pão and "coffee" here', tags: ['food', 'morning', 'food'] };
    expect((await post('/notes', note)).status).toBe(401);
    expect((await post('/notes', note, { authorization: `${user.authorization}x` })).status).toBe(401);
    const created = await post('/notes', note, user);
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: number };
    const found = [
      { id, cityId: 1, city: 'São Paulo', author: 'Ada', text: note.text, tags: 'food morning' },
    ];
    for (const query of [
      'q=pao',
      'q=coffee%20pa',
      'tag=food',
      'city=1',
      `before=${id + 1}`,
      'city=1&tag=morning',
    ])
      expect(await (await get(`/notes?${query}`)).json()).toMatchObject(found);
    for (const query of ['q=tea', 'tag=tea', 'city=2', `before=${id}`, 'q=%22%20OR%20%22'])
      expect(await (await get(`/notes?${query}`)).json()).toEqual([]);

    const other = await signIn('Grace');
    const remove = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${hub.url}/notes/${id}`, { method: 'DELETE', headers })).status;
    expect([await remove(other), await remove(user), await remove(user)]).toEqual([404, 204, 404]);
    expect(await (await get('/notes?q=pao')).json()).toEqual([]);
  });

  it('writes a note and its tags, or nothing', async () => {
    const user = await signIn('Edsger');
    expect((await post('/notes', { cityId: 9999, text: 'Nowhere', tags: ['lost'] }, user)).status).toBe(409);
    for (const note of [{}, { cityId: 1, text: '' }, { cityId: 1, text: 'x', tags: ['A b'] }, null])
      expect((await post('/notes', note, user)).status).toBe(400);
    expect(await (await get('/notes')).json()).toEqual([]);
  });

  it('gives no token for a wrong password, and limits how many are tried (S7, S9)', async () => {
    await signIn('Barbara');
    expect((await post('/users', { name: 'Barbara', password: 'difference' })).status).toBe(409);
    const tries = Array.from({ length: 12 }, () =>
      post('/tokens', { name: 'Barbara', password: 'guessing' }),
    );
    const statuses = new Set((await Promise.all(tries)).map(({ status }) => status));
    expect(statuses).toContain(429);
    expect(statuses).not.toContain(201);
  });

  it('explains errors as problems, to allowed origins, for allowed hosts, in few words (M3, M4)', async () => {
    const refused = await get('/cities?q=b', { origin: ORIGIN });
    expect(refused.status).toBe(400);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(await refused.json()).toMatchObject({
      status: 400,
      requestId: refused.headers.get('x-request-id'),
    });
    const strange = await get('/cities/1', { origin: 'https://evil.example' });
    expect(strange.headers.get('access-control-allow-origin')).toBe(null);
    expect(strange.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await post('/checkins', { cityId: 1, visitor: 'x'.repeat(5000) })).status).toBe(413);
  });

  it('shows itself on a page (M6, M7)', async () => {
    if (!existsSync(CHROMIUM)) throw new Error(`There is no ${CHROMIUM}: apt-get install chromium.`);
    expect((await get('/monitoring')).status).toBe(401);
    await get('/cities/1');
    const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    const browser = await chromium.launch({ executablePath: CHROMIUM, args });
    try {
      const httpCredentials = { username: 'any', password: MONITOR_TOKEN };
      const page = await (await browser.newContext({ httpCredentials })).newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => void faults.push(error.message));
      page.on('console', (line) => void (line.type() === 'error' && faults.push(line.text())));
      await page.goto(`${hub.url}/monitoring`);
      await page.getByText('GET /cities/:id').first().waitFor();
      await page.getByText('cities.cityById').first().waitFor();
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
