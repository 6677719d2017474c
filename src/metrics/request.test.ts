import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observedDatabase, type FakeDatabase } from '../../test/fixtures/observed-database.ts';
import { QueryBudgetError } from '../errors/index.ts';
import { Metrics } from './metrics.ts';

let db: FakeDatabase;
let metrics: Metrics;
beforeEach(() => {
  db = observedDatabase();
  metrics = new Metrics();
  metrics.watch(db);
});
afterEach(() => metrics.close());

describe('a request', () => {
  test('is counted under its route with what it used (M6)', async () => {
    const answer = await metrics.runInRequest({ route: 'GET /users/:id' }, async () => {
      db.ran('select 1', { durationMs: 3, rows: 4 });
      await Promise.resolve();
      db.ran('select 2', { durationMs: 5, rows: 1 });
      return 'answer';
    });
    expect(answer).toBe('answer');
    const route = {
      route: 'GET /users/:id',
      count: 1,
      errors: 0,
      successRate: 1,
      queries: 2,
      rows: 5,
      dbMs: 8,
    };
    expect(metrics.snapshot().routes).toMatchObject([route]);
    expect(metrics.currentRequest()).toBeUndefined();
  });

  test('that rejects, or says that it failed, counts as an error', async () => {
    const fault = new Error('mine');
    const run = (work: (request: { failed: boolean }) => void | Promise<void>) =>
      metrics.runInRequest({ route: 'POST /orders' }, work);
    await expect(run(() => Promise.reject(fault))).rejects.toBe(fault);
    await run((request) => void (request.failed = true));
    await run(() => undefined);
    await run(() => undefined);
    expect(metrics.snapshot().routes).toMatchObject([{ count: 4, errors: 2, successRate: 0.5 }]);
  });

  test('may learn its route on the way', async () => {
    await metrics.runInRequest({ route: 'GET *' }, (request) => void (request.route = 'GET /a/:b'));
    expect(metrics.snapshot().routes.map(({ route }) => route)).toEqual(['GET /a/:b']);
  });

  test('beside another keeps its own count', async () => {
    const used = await Promise.all(
      [1, 2].map((count) =>
        metrics.runInRequest({ route: 'GET /' }, async (request) => {
          for (let query = 0; query < count; query += 1) {
            await Promise.resolve();
            db.ran('select 1');
          }
          return request.usage.queries;
        }),
      ),
    );
    expect(used).toEqual([1, 2]);
  });

  test('beyond its threshold is counted, announced and logged (M6)', () => {
    const lines: unknown[] = [];
    const line = (fields: object) => void lines.push(fields);
    const log = { debug: line, info: line, warn: line, error: line };
    const logged = new Metrics({ log });
    const heard: unknown[] = [];
    logged.on('route:slow', (event) => heard.push(event));
    logged.recordRequest({ route: 'GET /', durationMs: 201, failed: false, thresholdMs: 200 });
    logged.recordRequest({ route: 'GET /', durationMs: 200, failed: false, thresholdMs: 200 });
    logged.recordRequest({ route: 'GET /', durationMs: 9_999, failed: false, thresholdMs: 0 });
    expect(heard).toEqual([{ route: 'GET /', durationMs: 201, thresholdMs: 200 }]);
    expect(lines).toEqual([{ event: 'route:slow', route: 'GET /', durationMs: 201, thresholdMs: 200 }]);
    expect(logged.snapshot().routes).toMatchObject([{ count: 3, warnings: 1 }]);
    logged.close();
  });

  test('of any number of routes takes bounded memory, and the counts add up (B20, C73)', () => {
    for (let index = 0; index < 10_000; index += 1)
      metrics.recordRequest({ route: `GET /${index}`, durationMs: 1, failed: false, thresholdMs: 0 });
    const { routes } = metrics.snapshot();
    expect(routes).toHaveLength(201);
    expect(routes.at(-1)).toMatchObject({ route: 'other', count: 9_800 });
  });
});

describe('a query budget', () => {
  const over = { route: 'GET /', budget: { queries: 1, rows: 5, dbMs: 10 } };
  const work = () => {
    db.ran('select 1', { durationMs: 6, rows: 3 });
    db.ran('select 2', { durationMs: 6, rows: 3 });
    return 'done';
  };

  test('that is passed is announced, and the request goes on', async () => {
    const heard: unknown[] = [];
    metrics.on('route:over-budget', ({ faults }) => heard.push(faults));
    expect(await metrics.runInRequest(over, work)).toBe('done');
    expect(heard).toEqual([
      ['2 queries, at most 1', '6 rows, at most 5', '12 ms in the database, at most 10'],
    ]);
    expect(metrics.snapshot().routes).toMatchObject([{ overBudget: 1, errors: 0 }]);
  });

  test('that is enforced rejects, once the work is done', async () => {
    const failing = metrics.runInRequest({ ...over, enforceBudget: true }, work);
    await expect(failing).rejects.toThrow(QueryBudgetError);
    await expect(failing).rejects.toThrow('GET / is over its query budget: 2 queries, at most 1; ');
    const fault = new Error('mine');
    const rejecting = () => {
      work();
      throw fault;
    };
    await expect(metrics.runInRequest({ ...over, enforceBudget: true }, rejecting)).rejects.toBe(fault);
  });

  test('that is kept says nothing', async () => {
    const kept = { route: 'GET /', budget: { queries: 2 }, enforceBudget: true };
    expect(await metrics.runInRequest(kept, work)).toBe('done');
  });
});

describe('trackPerformance (M6)', () => {
  test('measures a function under its name, keeps its this, arguments and promise', async () => {
    const notes = {
      prefix: '> ',
      list: metrics.trackPerformance(200)(async function listNotes(this: { prefix: string }, text: string) {
        await Promise.resolve();
        return this.prefix + text;
      }),
    };
    expect(await notes.list('a')).toBe('> a');
    const sync = metrics.trackPerformance(200, 'double')((value: number) => value * 2);
    expect(sync(2)).toBe(4);
    const counted = metrics
      .snapshot()
      .routes.map(({ route, count, thresholdMs }) => [route, count, thresholdMs]);
    expect(counted).toEqual([
      ['listNotes', 1, 200],
      ['double', 1, 200],
    ]);
  });

  test('counts what throws and what rejects, with the same errors', async () => {
    const fault = new Error('mine');
    const track = metrics.trackPerformance(0, 'failing');
    expect(() =>
      track(() => {
        throw fault;
      })(),
    ).toThrow(fault);
    await expect(track(() => Promise.reject(fault))()).rejects.toBe(fault);
    expect(metrics.snapshot().routes).toMatchObject([{ route: 'failing', count: 2, errors: 2 }]);
  });

  test('decorates a method', () => {
    const tracked = metrics.trackPerformance(100)(() => 1, { name: Symbol('secret') });
    expect(tracked()).toBe(1);
    expect(metrics.snapshot().routes[0]!.route).toBe('Symbol(secret)');
  });
});
