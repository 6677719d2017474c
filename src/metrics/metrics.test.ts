import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observedDatabase, type FakeDatabase } from '../../test/fixtures/observed-database.ts';
import { scaled } from '../../test/fixtures/scale.ts';
import { ConfigError, QueryBudgetError, QueryExecutionError, UsageError } from '../errors/index.ts';
import { Metrics, type MetricsOptions } from './index.ts';

let db: FakeDatabase;
let metrics: Metrics;
beforeEach(() => {
  db = observedDatabase();
  metrics = new Metrics();
  metrics.watch(db);
});
afterEach(() => metrics.close());

const statements = (of = metrics) => of.snapshot().databases[0]!.statements;

describe('statements', () => {
  test('are counted by shape, with rows and percentiles (P8, J9)', () => {
    for (let id = 1; id <= 100; id += 1)
      db.ran(`select * from users where id = ${id}`, { durationMs: id, rows: 2 });
    expect(statements()).toMatchObject([
      { text: 'select * from users where id = ?', count: 100, rows: 200, errors: 0, minMs: 1, maxMs: 100 },
    ]);
    const { p50Ms, p95Ms, p99Ms, averageMs } = statements()[0]!;
    expect([p50Ms, p95Ms, p99Ms, averageMs]).toEqual([50, 100, 100, 50.5]);
  });

  test('that have a name are counted by it, apart from the same shape without one', () => {
    db.ran('select 1', { name: 'one' });
    db.ran('select 2', { name: 'one' });
    db.ran('select 3');
    const counts = statements().map(({ name, count, id }) => [name, count, id.length]);
    expect(counts).toEqual([
      ['one', 2, 12],
      [undefined, 1, 12],
    ]);
    expect(new Set(statements().map(({ id }) => id)).size).toBe(2);
  });

  test('say where their time went: waiting, running, transferring', () => {
    const ended = { sql: 'select 1', rows: 1, placement: 'worker' } as const;
    db.emit('query:end', { ...ended, durationMs: 10, waitedMs: 3, ranMs: 5 });
    db.emit('query:end', { ...ended, durationMs: 4 });
    db.emit('query:end', { ...ended, durationMs: 5, waitedMs: 9, ranMs: 9 });
    db.emit('query:end', { ...ended, durationMs: 7, waitedMs: 1 });
    const { phases, totalMs } = statements()[0]!;
    expect(phases).toEqual({ waitingMs: 9, runningMs: 5, transferringMs: 2, unknownMs: 10 });
    const { waitingMs, runningMs, transferringMs, unknownMs } = phases;
    expect(waitingMs + runningMs + transferringMs + unknownMs).toBe(totalMs);
  });

  test('that fail are counted, and the last ones kept with their code', () => {
    const error = new QueryExecutionError('no such table: missing');
    db.emit('query:error', {
      sql: "select 'secret' from missing",
      durationMs: 2,
      placement: 'inline',
      error,
    });
    const [database] = metrics.snapshot().databases;
    expect(database!.statements).toMatchObject([{ count: 1, errors: 1, rows: 0 }]);
    const [failed] = database!.errors;
    expect(failed).toMatchObject({ code: 'ERR_MILLPOND_QUERY', text: 'select ? from missing' });
    expect(failed!.statement).toBe(database!.statements[0]!.id);
  });

  test('that are slow are counted and kept, without their values', () => {
    const event = { sql: "select 'secret'", durationMs: 2_000, rows: 1, placement: 'worker' } as const;
    db.emit('query:end', event);
    db.emit('query:slow', { ...event, thresholdMs: 1_000 });
    const [database] = metrics.snapshot().databases;
    expect(database!.statements).toMatchObject([{ count: 1, slow: 1 }]);
    expect(database!.slowQueries).toMatchObject([{ text: 'select ?', durationMs: 2_000 }]);
  });

  test('of any number take bounded memory, and their counts add up (B20, C73)', () => {
    const texts = scaled(20_000);
    for (let index = 0; index < texts; index += 1) db.ran(`select a${index} from t${index}`);
    for (let index = 0; index < 1_000; index += 1) db.ran('select 1', { name: `query ${index}` });
    expect(statements()).toHaveLength(501);
    expect(statements().at(-1)).toMatchObject({ id: 'other', count: texts + 1_000 - 500 });
    expect(statements().reduce((sum, { count }) => sum + count, 0)).toBe(texts + 1_000);
  });

  test('are forgotten by a reset, and by the end of watching', () => {
    db.ran('select 1');
    metrics.reset();
    expect(statements()).toEqual([]);
    db.ran('select 1');
    const stop = metrics.watch(db);
    expect(statements()).toHaveLength(1);
    stop();
    db.ran('select 1');
    expect(metrics.snapshot().databases).toEqual([]);
  });

  test('of two databases of one name cannot be told apart, and are refused', () => {
    expect(() => metrics.watch(observedDatabase())).toThrow(UsageError);
    metrics.watch(observedDatabase('other'));
    expect(metrics.snapshot().databases.map(({ name }) => name)).toEqual(['main', 'other']);
  });

  test('keep a sample for EXPLAIN, which no snapshot shows', () => {
    db.ran("select 'secret'");
    const { id } = statements()[0]!;
    expect(metrics.sampleOf('main', id)).toBe("select 'secret'");
    expect(metrics.sampleOf('main', 'nothing')).toBeUndefined();
    expect(JSON.stringify(metrics.snapshot())).not.toContain('secret');
  });
});

describe('transactions, leases and health', () => {
  test('that run are listed with their age and statements, the oldest first', () => {
    db.emit('transaction:start', { transactionId: 1, name: 'import', readOnly: false });
    db.emit('transaction:start', { transactionId: 2, readOnly: true });
    db.emit('query:start', { sql: 'select 1', transactionId: 1 });
    const running = () => metrics.snapshot().databases[0]!.runningTransactions;
    expect(running()).toMatchObject([
      { id: 1, name: 'import', readOnly: false, statements: 1 },
      { id: 2, readOnly: true, statements: 0 },
    ]);
    db.emit('transaction:commit', { transactionId: 1, readOnly: false, durationMs: 1 });
    db.emit('transaction:rollback', { transactionId: 2, readOnly: true, durationMs: 1 });
    expect(running()).toEqual([]);
  });

  test('leave leaks with their stacks, and notices of what somebody should look at', () => {
    const leak = { pool: 'main', heldMs: 11_000, takenAt: 'at take (app.ts:1:1)', holder: 'report' };
    db.emit('pool:leak', leak);
    db.emit('pool:leak-returned', leak);
    db.emit('sqlite:wal-pinned', { walBytes: 5e7, heldMs: 4_000, holder: 'report', takenAt: '' });
    db.emit('health:down', { side: 'primary', error: new Error('gone') });
    const [database] = metrics.snapshot().databases;
    expect(database!.leaks).toMatchObject([
      { returned: true, takenAt: 'at take (app.ts:1:1)' },
      { returned: false },
    ]);
    expect(database!.notices.map(({ event, message }) => [event, message])).toEqual([
      ['health:down', 'The database does not answer: gone'],
      ['sqlite:wal-pinned', '"report" keeps the write-ahead log at 50 MB, for 4.0 s.'],
    ]);
    expect(database!.isUp).toBe(false);
  });

  test('keep only the last of each', () => {
    const few = new Metrics({ maxRecent: 3 });
    few.watch(db);
    for (let count = 0; count < 100; count += 1) db.emit('health:up', { side: 'primary' });
    expect(few.snapshot().databases[0]!.notices).toHaveLength(3);
    few.close();
  });
});

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

  test('counts what throws and what rejects, with the very errors', async () => {
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

describe('a listener of metrics', () => {
  test('that throws or rejects breaks nobody, and becomes a warning', async () => {
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const heard: string[] = [];
    metrics.on('route:slow', () => {
      throw new Error('listener');
    });
    metrics.on('route:slow', ({ route }) => heard.push(route))();
    metrics.on('route:slow', ({ route }) => heard.push(`still ${route}`));
    metrics.recordRequest({ route: 'GET /', durationMs: 2, failed: false, thresholdMs: 1 });
    expect(heard).toEqual(['still GET /']);
    expect(await warned).toMatchObject({ message: 'listener' });
  });
});

describe('options', () => {
  test('that are wrong are refused, all at once', () => {
    const wrong = { maxStatement: 1, maxRoutes: 0, slowRequestMs: NaN } as MetricsOptions;
    expect(() => new Metrics(wrong)).toThrow(ConfigError);
    expect(() => new Metrics(wrong)).toThrow(/3 faults[^]*Did you mean "maxStatements"/);
  });
});
