import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observedDatabase, type FakeDatabase } from '../../test/fixtures/observed-database.ts';
import { Metrics } from './metrics.ts';
import { prometheusText, registerWithPrometheus } from './prometheus.ts';

let db: FakeDatabase;
let metrics: Metrics;
beforeEach(() => {
  db = observedDatabase('main', {
    queries: { count: 2, errors: 0, slow: 0, rows: 3, totalMs: 5 },
    sqlite: { walBytes: 4_096, groupCommits: 7, file: 'app.db' },
  });
  metrics = new Metrics();
  metrics.watch(db);
  db.ran('select 1', { durationMs: 1, rows: 1 });
  db.ran('select \'it\'\'s "quoted"\' from "a\\b"', { durationMs: 4, rows: 2, name: 'line\nbreak' });
  metrics.recordRequest({ route: 'GET /users/:id', durationMs: 30, failed: true, thresholdMs: 20 });
  metrics.watchCache('users', { stats: () => ({ hits: 3, loadErrors: 1, entries: 2, name: 'users' }) });
});
afterEach(() => metrics.close());

/** Lines that stand still while the clock goes on. */
const still = (text: string) =>
  text.split('\n').filter((line) => line !== '' && !line.includes('event_loop'));

describe('the Prometheus text (M12)', () => {
  test('has every figure under its name, in seconds', () => {
    const lines = still(prometheusText(metrics));
    for (const line of [
      '# TYPE millpond_queries_total counter',
      'millpond_queries_total{database="main"} 2',
      'millpond_query_duration_seconds_bucket{database="main",le="0.001"} 1',
      'millpond_query_duration_seconds_bucket{database="main",le="0.005"} 2',
      'millpond_query_duration_seconds_bucket{database="main",le="+Inf"} 2',
      'millpond_query_duration_seconds_sum{database="main"} 0.005',
      'millpond_pool_connections{database="main",state="leased"} 1',
      'millpond_transactions_total{database="main",outcome="rolled_back"} 1',
      'millpond_statement_calls_total{database="main",statement="line\\nbreak"} 1',
      'millpond_sqlite_wal_bytes{database="main"} 4096',
      'millpond_sqlite_group_commits_total{database="main"} 7',
      'millpond_route_errors_total{route="GET /users/:id"} 1',
      'millpond_route_slow_total{route="GET /users/:id"} 1',
      'millpond_route_duration_seconds_count{route="GET /users/:id"} 1',
      'millpond_cache_hits_total{cache="users"} 3',
      'millpond_cache_load_errors_total{cache="users"} 1',
      'millpond_cache_entries{cache="users"} 2',
      'millpond_database_up{database="main"} 1',
    ])
      expect(lines).toContain(line);
    expect(lines.find((line) => line.includes('text="select ? from'))).toContain(
      'text="select ? from \\"a\\\\b\\""',
    );
  });

  test('has each series once, also where an application calls its own `other` (C73)', () => {
    metrics = new Metrics({ maxRoutes: 2, maxStatements: 2 });
    metrics.watch(db);
    for (const name of ['other', 'a', 'b', 'c', 'd']) {
      metrics.recordRequest({ route: name, durationMs: 1, failed: false, thresholdMs: 20 });
      db.ran('select 1', { durationMs: 1, rows: 1, name });
    }
    const series = still(prometheusText(metrics)).map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(series.filter((name, index) => series.indexOf(name) !== index)).toEqual([]);
    const { routes } = metrics.snapshot();
    expect(routes.map(({ route, count }) => [route, count])).toEqual([
      ['a', 1],
      ['b', 1],
      ['other', 3],
    ]);
  });

  test('has the figures of PostgreSQL beside those of SQLite', () => {
    const postgres = { shared: 5, alone: 2, groupCommits: 3, groupedWrites: 12 };
    metrics.watch(observedDatabase('far', { postgres }));
    const lines = still(prometheusText(metrics));
    for (const line of [
      'millpond_postgres_group_commits_total{database="far"} 3',
      'millpond_postgres_grouped_writes_total{database="far"} 12',
      'millpond_postgres_shared_total{database="far"} 5',
      'millpond_postgres_alone_total{database="far"} 2',
    ])
      expect(lines).toContain(line);
    expect(lines.filter((line) => line.includes('sqlite_') && line.includes('far'))).toEqual([]);
  });

  test('is what prom-client makes of the same figures', async () => {
    const registry = new Registry();
    registerWithPrometheus(metrics, registry);
    expect(still(await registry.metrics())).toEqual(still(prometheusText(metrics)));
  });

  test('names each metric once, and only with what Prometheus allows', () => {
    const families = metrics.families();
    expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
    for (const { name, samples, type } of families) {
      expect(name).toMatch(/^millpond_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      const keys = samples.map(({ suffix, labels }) => `${suffix}${JSON.stringify(labels)}`);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });
});

describe('a registry of prom-client', () => {
  test('learns of a metric that comes later, and gives all back', async () => {
    const registry = new Registry();
    const empty = new Metrics();
    const remove = registerWithPrometheus(empty, registry);
    empty.watchCache('late', { stats: () => ({ hits: 1 }) });
    await registry.metrics();
    expect(await registry.metrics()).toContain('millpond_cache_hits_total{cache="late"} 1');
    registry.resetMetrics();
    remove();
    expect(registry.getMetricsAsArray()).toEqual([]);
    empty.close();
  });

  test('reads the figures once for all metrics', async () => {
    const registry = new Registry();
    let readings = 0;
    registerWithPrometheus({ families: () => ((readings += 1), metrics.families()) }, registry);
    readings = 0;
    await registry.metrics();
    expect(readings).toBe(1);
  });
});
