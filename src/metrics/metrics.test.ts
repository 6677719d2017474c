import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observedDatabase, type FakeDatabase } from '../../test/fixtures/observed-database.ts';
import { scaled } from '../../test/fixtures/scale.ts';
import { ConfigError, QueryExecutionError, UsageError } from '../errors/index.ts';
import type { MetricsOptions } from './metrics-options.ts';
import { Metrics } from './metrics.ts';

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
    const held = { transactionId: 1, name: 'import', readOnly: false, heldMs: 11_000 };
    db.emit('transaction:held-too-long', { ...held, takenAt: 'load (app.ts:1:1)' });
    expect(running().map(({ begunAt }) => begunAt)).toEqual(['load (app.ts:1:1)', undefined]);
    expect(metrics.snapshot().databases[0]!.notices[0]!.message).toContain('begun at load (app.ts:1:1)');
    db.emit('transaction:commit', { transactionId: 1, readOnly: false, durationMs: 1 });
    db.emit('transaction:rollback', { transactionId: 2, readOnly: true, durationMs: 1 });
    expect(running()).toEqual([]);
    db.emit('transaction:held-too-long', { ...held, takenAt: 'too late' });
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
