import type {
  EventLoopSnapshot,
  NPlusOneSuspect,
  ObservedStats,
  RecentError,
  RecentLeak,
  RecentNotice,
  RecentSlowQuery,
  RouteSnapshot,
  RunningTransaction,
  StatementSnapshot,
} from '../metrics/index.ts';
import type { MonitoredCache, MonitoredDatabase, MonitoredLease } from './monitored.ts';
import type { ResolvedMonitorOptions } from './monitor-options.ts';

/** What the page shows beside its charts. */
export interface MonitorState {
  readonly at: number;
  readonly measuredMs: number;
  readonly databases: readonly DatabaseState[];
  /** Those that took most time together. */
  readonly statements: readonly StatementSnapshot[];
  readonly statementCount: number;
  readonly routes: readonly RouteSnapshot[];
  readonly suspects: readonly (NPlusOneSuspect & { readonly at: number })[];
  readonly caches: readonly CacheState[];
  readonly eventLoop: EventLoopSnapshot;
  readonly errors: readonly RecentError[];
  readonly slowQueries: readonly RecentSlowQuery[];
  readonly leaks: readonly RecentLeak[];
  readonly notices: readonly RecentNotice[];
}

export interface DatabaseState {
  readonly name: string;
  readonly dialect: string;
  readonly isUp: boolean;
  readonly stats: ObservedStats;
  readonly running: readonly RunningTransaction[];
  /** The longest held first. */
  readonly leases: readonly MonitoredLease[];
}

export interface CacheState {
  readonly name: string;
  readonly stats: Readonly<Record<string, number>>;
}

/** Rows of each list that a page is sent. */
const MOST_ROWS = 100;
const MOST_RECENT = 50;

/** Everything that is shown, cut to what a page can hold. */
export function readState(
  options: Pick<ResolvedMonitorOptions, 'metrics' | 'databases' | 'caches'>,
): MonitorState {
  const { at, measuredMs, databases, routes, suspects, eventLoop } = options.metrics.snapshot();
  const statements = databases.flatMap((database) => database.statements);
  const byAge = <Item extends { readonly at: number }>(lists: readonly (readonly Item[])[]) =>
    lists
      .flat()
      .toSorted((a, b) => b.at - a.at)
      .slice(0, MOST_RECENT);
  return {
    at,
    measuredMs,
    databases: databases.map(({ name, dialect, isUp, stats, runningTransactions }) => ({
      name,
      dialect,
      isUp,
      stats,
      running: runningTransactions.slice(0, MOST_ROWS),
      leases: leasesOf(options.databases, name).slice(0, MOST_ROWS),
    })),
    statements: statements.toSorted((a, b) => b.totalMs - a.totalMs).slice(0, MOST_ROWS),
    statementCount: statements.length,
    routes: routes.toSorted((a, b) => b.totalMs - a.totalMs).slice(0, MOST_ROWS),
    suspects: suspects.slice(0, MOST_RECENT),
    caches: options.caches.map(readCache),
    eventLoop,
    errors: byAge(databases.map(({ errors }) => errors)),
    slowQueries: byAge(databases.map(({ slowQueries }) => slowQueries)),
    leaks: byAge(databases.map(({ leaks }) => leaks)),
    notices: byAge(databases.map(({ notices }) => notices)),
  };
}

/** A cache's figures; what is no number is left out. */
export function readCache(cache: MonitoredCache): CacheState {
  const stats = Object.entries(cache.stats()).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return { name: cache.name, stats: Object.fromEntries(stats) };
}

/** The longest held first. A lease's generation and the like are of no interest here. */
export function leasesOf(databases: readonly MonitoredDatabase[], name: string): MonitoredLease[] {
  const leases = databases.find((database) => database.name === name)?.leases() ?? [];
  return leases
    .map(({ holder, heldMs, takenAt }) => ({ holder, heldMs, takenAt }))
    .toSorted((a, b) => b.heldMs - a.heldMs);
}
