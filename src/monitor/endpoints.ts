import {
  explainStatement,
  prometheusText,
  PROMETHEUS_CONTENT_TYPE,
  type RouteSnapshot,
  type StatementSnapshot,
} from '../metrics/index.ts';
import { answer, answerError, answerJson } from './answers.ts';
import type { LiveFeed } from './live-feed.ts';
import type { MonitoredCache } from './monitored.ts';
import type { ResolvedMonitorOptions } from './monitor-options.ts';
import { leasesOf, readCache, readState } from './monitor-state.ts';
import { pageEndpoints } from './page-endpoints.ts';

type Handler = (request: Request) => Response | Promise<Response>;

/** By the path behind `basePath`. */
export type Endpoints = Readonly<Record<string, { readonly GET?: Handler; readonly POST?: Handler }>>;

const MOST_ROWS = 500;
const DEFAULT_ROWS = 10;

/** Everything that can be asked. */
export function endpointsOf(options: ResolvedMonitorOptions, feed: LiveFeed): Endpoints {
  const { metrics } = options;
  const slowest = ranked(options, (a, b) => b.averageMs - a.averageMs);
  const mostUsed = ranked(options, (a, b) => b.count - a.count);
  return {
    ...pageEndpoints(options),
    '/events': { GET: (request) => feed.open(request.signal) },
    '/state': { GET: () => answerJson(readState(options)) },
    '/history': { GET: () => answerJson(feed.history()) },
    '/metrics': { GET: () => answer(prometheusText(metrics), PROMETHEUS_CONTENT_TYPE) },
    '/performance': { GET: () => answerJson(performanceOf(options)) },
    '/slowest': { GET: slowest },
    '/performance/slowest': { GET: slowest },
    '/most-used': { GET: mostUsed },
    '/performance/most-used': { GET: mostUsed },
    '/reset-performance': {
      POST: () => {
        metrics.reset();
        return answerJson({ reset: true });
      },
    },
    '/queries': { GET: (request) => answerQueries(options, request) },
    '/queries/plan': { POST: (request) => answerPlan(options, request) },
    '/transactions': { GET: () => answerJson(transactionsOf(options)) },
    '/pool': { GET: () => answerJson(poolsOf(options)) },
    '/health': { GET: () => answerHealth(options) },
    ...cacheEndpoints(options.caches),
  };
}

function performanceOf({ metrics }: ResolvedMonitorOptions): object {
  const { routes, measuredMs, eventLoop, suspects } = metrics.snapshot();
  const count = routes.reduce((sum, route) => sum + route.count, 0);
  const errors = routes.reduce((sum, route) => sum + route.errors, 0);
  const successRate = count === 0 ? 1 : (count - errors) / count;
  return { measuredMs, count, errors, successRate, eventLoop, routes, suspects };
}

type Ranking = (
  a: Pick<RouteSnapshot, 'averageMs' | 'count'>,
  b: Pick<RouteSnapshot, 'averageMs' | 'count'>,
) => number;

/** The first routes, and the first statements, by a measure. */
function ranked({ metrics }: ResolvedMonitorOptions, compare: Ranking): Handler {
  return ({ url }) => {
    const count = countOf(url);
    if (count === undefined) return wrongCount();
    const { routes, databases } = metrics.snapshot();
    const statements: StatementSnapshot[] = databases.flatMap((database) => database.statements);
    return answerJson({
      routes: routes.toSorted(compare).slice(0, count),
      statements: statements.toSorted(compare).slice(0, count),
    });
  };
}

function countOf(url: string): number | undefined {
  const given = new URL(url).searchParams.get('count') ?? String(DEFAULT_ROWS);
  const count = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  return count >= 1 && count <= MOST_ROWS ? count : undefined;
}

function wrongCount(): Response {
  return answerError(400, `count is a whole number, 1 to ${MOST_ROWS}.`);
}

function answerQueries({ metrics }: ResolvedMonitorOptions, { url }: Request): Response {
  const count = countOf(url);
  if (count === undefined) return wrongCount();
  const { databases, suspects } = metrics.snapshot();
  const statements = databases.flatMap((database) => database.statements);
  return answerJson({
    statements: statements.toSorted((a, b) => b.totalMs - a.totalMs).slice(0, count),
    slow: databases.flatMap(({ slowQueries }) => slowQueries).slice(0, count),
    errors: databases.flatMap(({ errors }) => errors).slice(0, count),
    suspects: suspects.slice(0, count),
  });
}

/** Asks the engine, which has a cost: so this must be requested on purpose, like a change. */
async function answerPlan(
  { metrics, databases }: ResolvedMonitorOptions,
  { url }: Request,
): Promise<Response> {
  const { searchParams } = new URL(url);
  const name = searchParams.get('database') ?? '';
  const database = databases.find((one) => one.name === name);
  const text = metrics.sampleOf(name, searchParams.get('statement') ?? '');
  if (database === undefined || text === undefined) {
    return answerError(404, 'There is no such statement, or its text was too long to keep.');
  }
  try {
    return answerJson(await explainStatement(database, text));
  } catch {
    return answerError(422, 'The database has no plan for it: it may not fit the schema any more.');
  }
}

function transactionsOf({ metrics, databases }: ResolvedMonitorOptions): object {
  return metrics.snapshot().databases.map(({ name, stats, runningTransactions, leaks }) => ({
    database: name,
    ...stats.transactions,
    running: runningTransactions,
    leases: leasesOf(databases, name),
    leaks,
  }));
}

/** `checkedIn`, `checkedOut` and `queueSize` are the words of other pools for the same. */
function poolsOf({ databases }: ResolvedMonitorOptions): object {
  return databases.map((database) => {
    const { pool } = database.stats();
    return {
      database: database.name,
      type: database.dialect,
      ...pool,
      checkedIn: pool.idle,
      checkedOut: pool.leased,
      queueSize: pool.waiting,
      leases: leasesOf(databases, database.name),
    };
  });
}

async function answerHealth({ databases }: ResolvedMonitorOptions): Promise<Response> {
  const checks = await Promise.all(
    databases.map(async (database) => {
      const health = await database.health();
      return {
        database: database.name,
        status: health.status,
        // The error's message may name paths and hosts; its code says enough.
        checks: health.checks.map(({ side, status, latencyMs, error }) => ({
          side,
          status,
          latencyMs,
          ...(error === undefined ? {} : { error: error.name }),
        })),
      };
    }),
  );
  const isUp = checks.every(({ status }) => status === 'up');
  return answerJson({ status: isUp ? 'up' : 'down', databases: checks }, isUp ? 200 : 503);
}

function cacheEndpoints(caches: readonly MonitoredCache[]): Endpoints {
  /** Of one cache, `?name=`, or of all. */
  const each = (request: Request, work: (cache: MonitoredCache) => unknown) => {
    const name = new URL(request.url).searchParams.get('name');
    const chosen = caches.filter((cache) => name === null || cache.name === name);
    if (name !== null && chosen.length === 0) return answerError(404, 'There is no such cache.');
    return Promise.all(chosen.map(work)).then(() => answerJson({ caches: chosen.map(readCache) }));
  };
  return {
    '/cache': { GET: () => answerJson({ caches: caches.map(readCache) }) },
    '/cache/clear': { POST: (request) => each(request, (cache) => cache.clear()) },
    '/cache/cleanup': { POST: (request) => each(request, (cache) => cache.cleanup()) },
  };
}
