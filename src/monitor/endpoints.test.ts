import { beforeEach, describe, expect, test } from 'vitest';
import {
  ask,
  AS_PAGE,
  bearer,
  monitorStage,
  TOKEN,
  type MonitorStage,
} from '../../test/fixtures/monitor-stage.ts';

let fake: MonitorStage['fake'];
let database: MonitorStage['database'];
let metrics: MonitorStage['metrics'];
let create: MonitorStage['create'];
beforeEach(() => {
  ({ fake, database, metrics, create } = monitorStage());
});

describe('the endpoints (M7)', () => {
  const route = (name: string, durationMs: number) =>
    metrics.recordRequest({ route: name, durationMs, failed: name.includes('fail'), thresholdMs: 0 });

  test('tell the performance of every route, the slowest and the most used (M6)', async () => {
    const monitor = create();
    for (let call = 0; call < 5; call += 1) route('GET /often', 1);
    route('GET /slow', 500);
    route('GET /fail', 20);
    fake.ran('select 1', { durationMs: 9 });
    expect((await ask(monitor, '/monitoring/performance')).json()).toMatchObject({
      count: 7,
      errors: 1,
      successRate: 6 / 7,
    });
    const routesOf = async (path: string) => {
      const { routes } = (await ask(monitor, `/monitoring${path}`)).json() as { routes: { route: string }[] };
      return routes.map((one) => one.route);
    };
    expect(await routesOf('/slowest?count=2')).toEqual(['GET /slow', 'GET /fail']);
    expect(await routesOf('/performance/slowest?count=1')).toEqual(['GET /slow']);
    expect(await routesOf('/most-used?count=1')).toEqual(['GET /often']);
    expect(await routesOf('/slowest')).toHaveLength(3);
    for (const count of ['0', '501', '-1', '1.5', 'x', '1e9', '']) {
      expect((await ask(monitor, `/monitoring/slowest?count=${count}`)).status).toBe(400);
      expect((await ask(monitor, `/monitoring/queries?count=${count}`)).status).toBe(400);
    }
  });

  test('tell of caches, and clear and clean them up, all or one by name (M5)', async () => {
    const done: string[] = [];
    const cache = (name: string) => ({
      name,
      stats: () => ({ hits: 1, name, redis: {} }),
      clear: () => Promise.resolve(done.push(`clear ${name}`)),
      cleanup: () => done.push(`cleanup ${name}`),
    });
    const monitor = create({ token: TOKEN, caches: [cache('a'), cache('b')] });
    const change = (path: string) =>
      ask(monitor, `/monitoring${path}`, { method: 'POST', headers: { ...AS_PAGE, ...bearer } });
    expect((await ask(monitor, '/monitoring/cache')).json()).toEqual({
      caches: [
        { name: 'a', stats: { hits: 1 } },
        { name: 'b', stats: { hits: 1 } },
      ],
    });
    await change('/cache/clear?name=b');
    await change('/cache/cleanup');
    expect((await change('/cache/clear?name=c')).status).toBe(404);
    expect(done).toEqual(['clear b', 'cleanup a', 'cleanup b']);
    expect((await ask(monitor, '/monitoring/metrics')).text).toContain(
      'millpond_cache_hits_total{cache="a"} 1',
    );
  });

  test('tell of the pool in the words of other pools too (M8)', async () => {
    const [pool] = (await ask(create(), '/monitoring/pool')).json() as object[];
    expect(pool).toMatchObject({
      database: 'main',
      type: 'sqlite',
      size: 2,
      checkedIn: 1,
      checkedOut: 1,
      overflow: 0,
      queueSize: 0,
      leases: [{ holder: 'report', heldMs: 5, takenAt: 'at take' }],
    });
  });

  test('tell of statements, transactions and health', async () => {
    const monitor = create();
    fake.ran('select 1');
    fake.emit('transaction:start', { transactionId: 7, readOnly: false });
    expect((await ask(monitor, '/monitoring/queries')).json()).toMatchObject({ statements: [{ count: 1 }] });
    expect((await ask(monitor, '/monitoring/transactions')).json()).toMatchObject([
      { database: 'main', started: 3, running: [{ id: 7 }], leases: [{ holder: 'report' }] },
    ]);
    expect((await ask(monitor, '/monitoring/health')).json()).toMatchObject({ status: 'up' });
  });

  test('tell with 503 that a database is down, and not what it said', async () => {
    const error = new Error('password of 10.0.0.7 refused');
    const down = { side: 'primary', status: 'down', latencyMs: 1, error } as const;
    database.health = () => Promise.resolve({ status: 'down', checks: [down] });
    const { status, text } = await ask(create(), '/monitoring/health');
    expect(status).toBe(503);
    expect(text).not.toContain('10.0.0.7');
  });

  test('ask for a plan of a statement that was seen, and of no other', async () => {
    const monitor = create();
    fake.ran("select * from notes where city = 'Bern'");
    const { id } = metrics.snapshot().databases[0]!.statements[0]!;
    const plan = (query: string) =>
      ask(monitor, `/monitoring/queries/plan?${query}`, {
        method: 'POST',
        headers: { ...AS_PAGE, ...bearer },
      });
    const found = await plan(`database=main&statement=${id}`);
    expect(found.json()).toMatchObject({
      lines: ['SCAN notes'],
      advice: [{ index: 'create index on_notes_city on notes (city)' }],
    });
    expect(found.text).not.toContain('Bern');
    for (const query of [
      '',
      `database=other&statement=${id}`,
      'database=main&statement=drop',
      'database=main&statement=other',
    ])
      expect((await plan(query)).status).toBe(404);
    database.all = () => Promise.reject(new Error('secret'));
    const failed = await plan(`database=main&statement=${id}`);
    expect([failed.status, failed.text.includes('secret')]).toEqual([422, false]);
  });

  test('that fail say so and no more', async () => {
    const monitor = create();
    database.leases = () => {
      throw new Error('secret');
    };
    const failed = await ask(monitor, '/monitoring/pool');
    expect([failed.status, failed.text.includes('secret')]).toEqual([500, false]);
  });
});
