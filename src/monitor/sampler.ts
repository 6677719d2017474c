import { systemClock } from '../async/index.ts';
import { EventLoopProbe, type HistogramMark, type Metrics, type ObservedStats } from '../metrics/index.ts';
import type { MonitoredCache, MonitoredDatabase } from './monitored.ts';

/** One database between two points of the charts. */
export interface DatabaseSample {
  readonly queriesPerSecond: number;
  readonly errorsPerSecond: number;
  readonly transactionsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly leased: number;
  readonly idle: number;
  readonly waiting: number;
  readonly max: number;
  readonly activeTransactions: number;
  /** Null where the engine has no file of its own. */
  readonly walBytes: number | null;
  /** Writes that shared a commit with others, per commit; 0 where nothing was written. */
  readonly writesPerCommit: number;
}

/** One point of the charts. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly databases: Readonly<Record<string, DatabaseSample>>;
  readonly requestsPerSecond: number;
  readonly failedRequestsPerSecond: number;
  readonly loopP99Ms: number;
  /** From 0 to 1. */
  readonly loopUtilization: number;
  readonly rssBytes: number;
  /** Of the calls of all caches since the last point, from 0 to 1; null where there was none. */
  readonly cacheHitRate: number | null;
}

interface Totals {
  readonly atMs: number;
  readonly databases: ReadonlyMap<
    string,
    { readonly stats: ObservedStats; readonly mark: HistogramMark | undefined }
  >;
  readonly requests: number;
  readonly failedRequests: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
}

const SECOND_MS = 1_000;

/** Takes the differences of counters from one call to the next. */
export class Sampler {
  readonly #parts: {
    readonly metrics: Metrics;
    readonly databases: readonly MonitoredDatabase[];
    readonly caches: readonly MonitoredCache[];
  };
  readonly #eventLoop = new EventLoopProbe();
  #last: Totals;

  constructor(parts: {
    readonly metrics: Metrics;
    readonly databases: readonly MonitoredDatabase[];
    readonly caches: readonly MonitoredCache[];
  }) {
    this.#parts = parts;
    this.#eventLoop.start();
    this.#last = this.#totals();
  }

  take(): Sample {
    const last = this.#last;
    const now = this.#totals();
    this.#last = now;
    const seconds = Math.max(0.001, (now.atMs - last.atMs) / SECOND_MS);
    const { p99Ms, utilization } = this.#eventLoop.snapshot();
    this.#eventLoop.reset();
    return {
      at: Date.now(),
      databases: this.#databaseSamples(last, now, seconds),
      requestsPerSecond: rate(last.requests, now.requests, seconds),
      failedRequestsPerSecond: rate(last.failedRequests, now.failedRequests, seconds),
      loopP99Ms: p99Ms,
      loopUtilization: utilization,
      rssBytes: process.memoryUsage.rss(),
      cacheHitRate: hitRate(last, now),
    };
  }

  stop(): void {
    this.#eventLoop.stop();
  }

  #databaseSamples(last: Totals, now: Totals, seconds: number): Record<string, DatabaseSample> {
    const durations = this.#parts.metrics.durationsByDatabase();
    const samples = [...now.databases].map(([name, { stats }]) => {
      const before = last.databases.get(name);
      const histogram = durations.get(name);
      const mark = before?.mark;
      const since = mark === undefined ? undefined : histogram?.since(mark);
      return [name, databaseSample(before?.stats ?? stats, stats, { seconds, since })] as const;
    });
    return Object.fromEntries(samples);
  }

  #totals(): Totals {
    const { metrics, databases, caches } = this.#parts;
    const durations = metrics.durationsByDatabase();
    const { requests, failed } = metrics.requestTotals();
    const figures = caches.map(
      (cache) => cache.stats() as { readonly hits?: number; readonly misses?: number },
    );
    return {
      atMs: systemClock.now(),
      databases: new Map(
        databases.map((db) => [db.name, { stats: db.stats(), mark: durations.get(db.name)?.mark() }]),
      ),
      requests,
      failedRequests: failed,
      cacheHits: figures.reduce((sum, { hits = 0 }) => sum + hits, 0),
      cacheMisses: figures.reduce((sum, { misses = 0 }) => sum + misses, 0),
    };
  }
}

function databaseSample(
  before: ObservedStats,
  now: ObservedStats,
  {
    seconds,
    since = { p50Ms: 0, p95Ms: 0, p99Ms: 0 },
  }: {
    readonly seconds: number;
    readonly since: Pick<DatabaseSample, 'p50Ms' | 'p95Ms' | 'p99Ms'> | undefined;
  },
): DatabaseSample {
  const { leased, idle, waiting, max } = now.pool;
  const commits = engineNumber(now, 'groupCommits') - engineNumber(before, 'groupCommits');
  const writes = engineNumber(now, 'groupedWrites') - engineNumber(before, 'groupedWrites');
  return {
    queriesPerSecond: rate(before.queries.count, now.queries.count, seconds),
    errorsPerSecond: rate(before.queries.errors, now.queries.errors, seconds),
    transactionsPerSecond: rate(before.transactions.started, now.transactions.started, seconds),
    p50Ms: since.p50Ms,
    p95Ms: since.p95Ms,
    p99Ms: since.p99Ms,
    leased,
    idle,
    waiting,
    max,
    activeTransactions: now.transactions.active,
    walBytes: now.sqlite === undefined ? null : engineNumber(now, 'walBytes'),
    writesPerCommit: commits > 0 ? writes / commits : 0,
  };
}

function engineNumber({ sqlite, postgres }: ObservedStats, key: string): number {
  const figures: Readonly<Record<string, unknown>> = { ...(sqlite ?? postgres) };
  const value = figures[key];
  return typeof value === 'number' ? value : 0;
}

function rate(before: number, now: number, seconds: number): number {
  // Counters start over when they are reset.
  return Math.max(0, now - before) / seconds;
}

function hitRate(last: Totals, now: Totals): number | null {
  const hits = now.cacheHits - last.cacheHits;
  const asked = hits + now.cacheMisses - last.cacheMisses;
  return asked > 0 && hits >= 0 ? hits / asked : null;
}
