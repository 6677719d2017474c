import { OTHER } from './bounded-table.ts';
import type { DatabaseMetrics } from './database-metrics.ts';
import type { DurationHistogram } from './duration-histogram.ts';
import type { EventLoopSnapshot } from './event-loop.ts';
import type { ObservedCache, ObservedStats } from './observed-database.ts';
import type { RouteRecord } from './route-table.ts';
import type { StatementSnapshot } from './statement-record.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Behind the family's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** One metric with all its labels, in the units and with the names of Prometheus. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

export interface FamilySources {
  readonly databases: readonly DatabaseMetrics[];
  readonly routes: readonly RouteRecord[];
  readonly caches: ReadonlyMap<string, ObservedCache>;
  readonly eventLoop: EventLoopSnapshot;
}

/** Edges of the histogram's own buckets, so that every count is exact. */
const LIMITS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const MS = 1_000;
/** Of a statement's text in a label; the page shows it in full. */
const LONGEST_LABEL = 200;

/** The one table of what is exported under which name. */
export function metricFamilies({ databases, routes, caches, eventLoop }: FamilySources): MetricFamily[] {
  const all = databases.map((metrics) => ({
    metrics,
    labels: { database: metrics.database.name },
    stats: metrics.database.stats(),
  }));
  return [
    ...databaseFamilies(all),
    ...statementFamilies(databases),
    ...engineFamilies(all, 'sqlite', SQLITE),
    ...engineFamilies(all, 'postgres', POSTGRES),
    ...routeFamilies(routes),
    ...cacheFamilies(caches),
    ...eventLoopFamilies(eventLoop),
  ];
}

interface Watched {
  readonly metrics: DatabaseMetrics;
  readonly labels: Labels;
  readonly stats: ObservedStats;
}

type Kind = MetricFamily['type'];

function family(name: string, type: Kind, help: string): (samples: readonly Sample[]) => MetricFamily {
  return (samples) => ({ name: `millpond_${name}`, type, help, samples });
}

/** One sample for each database. */
function perDatabase(
  all: readonly Watched[],
  build: (samples: readonly Sample[]) => MetricFamily,
  read: (watched: Watched) => number,
): MetricFamily {
  return build(all.map((watched) => ({ labels: watched.labels, value: read(watched) })));
}

function databaseFamilies(all: readonly Watched[]): MetricFamily[] {
  const gauge = (name: string, help: string, read: (watched: Watched) => number) =>
    perDatabase(all, family(name, 'gauge', help), read);
  const counter = (name: string, help: string, read: (watched: Watched) => number) =>
    perDatabase(all, family(name, 'counter', help), read);
  return [
    gauge('database_up', 'Whether the last health check succeeded.', ({ metrics }) => Number(metrics.isUp)),
    counter('queries_total', 'Statements that ended.', ({ stats }) => stats.queries.count),
    counter('query_errors_total', 'Statements that failed.', ({ stats }) => stats.queries.errors),
    counter('slow_queries_total', 'Statements slower than slowQueryMs.', ({ stats }) => stats.queries.slow),
    counter('query_rows_total', 'Rows returned or affected.', ({ stats }) => stats.queries.rows),
    durations('query_duration_seconds', 'Duration of statements, waiting included.', all, 'durations'),
    counter('n_plus_one_total', 'Queries found in loops.', ({ metrics }) => metrics.suspects),
    family('pool_connections', 'gauge', 'Connections by state.')(all.flatMap(connectionStates)),
    gauge('pool_connections_max', 'Most connections at once.', ({ stats }) => stats.pool.max),
    gauge('pool_waiting', 'Callers waiting for a connection.', ({ stats }) => stats.pool.waiting),
    counter('pool_timeouts_total', 'Callers that got none in time.', ({ stats }) => stats.pool.timeouts),
    counter('pool_created_total', 'Connections opened.', ({ stats }) => stats.pool.created),
    counter('pool_retired_total', 'Connections closed.', ({ stats }) => stats.pool.retired),
    counter('pool_leaks_total', 'Leases reported as leaked.', ({ metrics }) => metrics.leaks),
    family('pool_acquire_seconds', 'gauge', 'Wait for a connection.')(all.flatMap(acquireQuantiles)),
    counter('transactions_started_total', 'Transactions begun.', ({ stats }) => stats.transactions.started),
    family('transactions_total', 'counter', 'Transactions by outcome.')(all.flatMap(transactionOutcomes)),
    gauge('transactions_active', 'Transactions that are open.', ({ stats }) => stats.transactions.active),
    gauge(
      'transaction_oldest_seconds',
      'Age of the oldest open transaction.',
      ({ metrics }) => metrics.oldestTransactionMs / MS,
    ),
    durations('transaction_duration_seconds', 'Duration of transactions.', all, 'transactionDurations'),
  ];
}

function durations(
  name: string,
  help: string,
  all: readonly Watched[],
  which: 'durations' | 'transactionDurations',
): MetricFamily {
  const samples = all.flatMap(({ metrics, labels }) => histogramSamples(metrics[which], labels));
  return family(name, 'histogram', help)(samples);
}

function histogramSamples(histogram: DurationHistogram, labels: Labels): Sample[] {
  const counts = histogram.countsWithin(LIMITS_MS);
  return [
    ...LIMITS_MS.map((limitMs, index) => ({
      suffix: '_bucket',
      labels: { ...labels, le: String(limitMs / MS) },
      value: counts[index]!,
    })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: histogram.count },
    { suffix: '_sum', labels, value: histogram.totalMs / MS },
    { suffix: '_count', labels, value: histogram.count },
  ];
}

function connectionStates({ labels, stats: { pool } }: Watched): Sample[] {
  return (['idle', 'leased', 'connecting'] as const).map((state) => ({
    labels: { ...labels, state },
    value: pool[state],
  }));
}

function acquireQuantiles({ labels, stats: { pool } }: Watched): Sample[] {
  const { p50, p95, p99, max } = pool.acquireMs;
  return Object.entries({ '0.5': p50, '0.95': p95, '0.99': p99, '1': max }).map(([quantile, value]) => ({
    labels: { ...labels, quantile },
    value: value / MS,
  }));
}

function transactionOutcomes({ labels, stats: { transactions } }: Watched): Sample[] {
  const { committed, rolledBack, unknown } = transactions;
  return Object.entries({ committed, rolled_back: rolledBack, unknown }).map(([outcome, value]) => ({
    labels: { ...labels, outcome },
    value,
  }));
}

function statementFamilies(databases: readonly DatabaseMetrics[]): MetricFamily[] {
  const all = databases.flatMap((metrics) =>
    metrics.statements().map((record) => record.snapshot(metrics.database.name)),
  );
  // One that is named as the shared record is goes by its id: two series of one name would be refused.
  const labelsOf = ({ database, id, name = id }: StatementSnapshot) => ({
    database,
    statement: name === OTHER ? id : name,
  });
  const counter = (name: string, help: string, read: (one: StatementSnapshot) => number) =>
    family(
      `statement_${name}`,
      'counter',
      help,
    )(all.map((one) => ({ labels: labelsOf(one), value: read(one) })));
  const phases = all.flatMap((one) =>
    Object.entries(one.phases).map(([phase, value]) => ({
      labels: { ...labelsOf(one), phase: phase.replace(/Ms$/, '') },
      value: value / MS,
    })),
  );
  const texts = all.map((one) => ({
    labels: { ...labelsOf(one), text: one.text.slice(0, LONGEST_LABEL) },
    value: 1,
  }));
  return [
    counter('calls_total', 'Calls of one shape of statement, or of a named query.', (one) => one.count),
    counter('errors_total', 'Those that failed.', (one) => one.errors),
    counter('rows_total', 'Rows they returned or affected.', (one) => one.rows),
    family('statement_seconds_total', 'counter', 'Their time, by where it went.')(phases),
    family('statement_info', 'gauge', 'The text of a statement, normalised.')(texts),
  ];
}

type EngineFigure = readonly [key: string, name: string, type: Kind, help: string];

/** Keys of `db.stats().sqlite`, with the names they are exported under. */
const SQLITE: readonly EngineFigure[] = [
  ['walBytes', 'sqlite_wal_bytes', 'gauge', 'Size of the write-ahead log.'],
  ['groupCommits', 'sqlite_group_commits_total', 'counter', 'Commits of grouped writes.'],
  ['groupedWrites', 'sqlite_grouped_writes_total', 'counter', 'Writes that shared a commit.'],
  ['groupReplays', 'sqlite_group_replays_total', 'counter', 'Groups that had to run one by one.'],
  ['checkpoints', 'sqlite_checkpoints_total', 'counter', 'Checkpoints of the write-ahead log.'],
  ['inline', 'sqlite_inline_reads_total', 'counter', 'Reads on the calling thread.'],
  ['offloaded', 'sqlite_offloaded_total', 'counter', 'Statements sent to a thread.'],
];

/** The same of `db.stats().postgres`. */
const POSTGRES: readonly EngineFigure[] = [
  ['groupCommits', 'postgres_group_commits_total', 'counter', 'Commits of grouped writes.'],
  ['groupedWrites', 'postgres_grouped_writes_total', 'counter', 'Writes that shared a commit.'],
  ['shared', 'postgres_shared_total', 'counter', 'Statements on connections that callers share.'],
  ['alone', 'postgres_alone_total', 'counter', 'Statements on a connection of their own.'],
];

function engineFamilies(
  all: readonly Watched[],
  engine: 'sqlite' | 'postgres',
  figures: readonly EngineFigure[],
): MetricFamily[] {
  return figures
    .map(([key, name, type, help]) => {
      const samples = all.flatMap(({ labels, stats }) => {
        const own: Readonly<Record<string, unknown>> = { ...stats[engine] };
        const value = own[key];
        return typeof value === 'number' ? [{ labels, value }] : [];
      });
      return family(name, type, help)(samples);
    })
    .filter(({ samples }) => samples.length > 0);
}

function routeFamilies(routes: readonly RouteRecord[]): MetricFamily[] {
  const all = routes.map((record) => ({
    record,
    snapshot: record.snapshot(),
    labels: { route: record.route },
  }));
  const counter = (name: string, help: string, read: (one: (typeof all)[number]['snapshot']) => number) =>
    family(name, 'counter', help)(all.map(({ labels, snapshot }) => ({ labels, value: read(snapshot) })));
  return [
    family(
      'route_duration_seconds',
      'histogram',
      'Duration of requests and tracked functions.',
    )(all.flatMap(({ record, labels }) => histogramSamples(record.durations, labels))),
    counter('route_errors_total', 'Requests that failed.', (one) => one.errors),
    counter('route_slow_total', 'Requests beyond their threshold.', (one) => one.warnings),
    counter('route_over_budget_total', 'Requests beyond their query budget.', (one) => one.overBudget),
    counter('route_queries_total', 'Statements of requests.', (one) => one.queries),
    counter('route_rows_total', 'Rows of requests.', (one) => one.rows),
    counter('route_database_seconds_total', 'Time of requests in databases.', (one) => one.dbMs / MS),
  ];
}

/** Figures of a cache that only grow; the others are sizes. */
const CACHE_COUNTERS = new Set(
  (
    'hits stale redisHits misses bypassed loads loadErrors loadTimeouts sets refused unkept evictions ' +
    'invalidations dropped'
  ).split(' '),
);

function cacheFamilies(caches: ReadonlyMap<string, ObservedCache>): MetricFamily[] {
  const samples = new Map<string, Sample[]>();
  for (const [cache, source] of caches) {
    for (const [key, value] of Object.entries(source.stats())) {
      if (typeof value !== 'number') continue;
      samples.set(key, [...(samples.get(key) ?? []), { labels: { cache }, value }]);
    }
  }
  return [...samples].map(([key, ofKey]) => {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return CACHE_COUNTERS.has(key)
      ? family(`cache_${name}_total`, 'counter', `Cache: ${key}.`)(ofKey)
      : family(`cache_${name}`, 'gauge', `Cache: ${key}.`)(ofKey);
  });
}

function eventLoopFamilies({ p50Ms, p99Ms, maxMs, utilization }: EventLoopSnapshot): MetricFamily[] {
  const quantiles = Object.entries({ '0.5': p50Ms, '0.99': p99Ms, '1': maxMs });
  return [
    family(
      'event_loop_delay_seconds',
      'gauge',
      'Delay of the event loop.',
    )(quantiles.map(([quantile, ms]) => ({ labels: { quantile }, value: ms / MS }))),
    family(
      'event_loop_utilization',
      'gauge',
      'Share of time in which the event loop was busy.',
    )([{ labels: {}, value: utilization }]),
  ];
}
