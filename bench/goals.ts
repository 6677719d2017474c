import { SYNCHRONOUS_DRIVERS, type PeerName } from './peers/index.ts';

/** What a release must reach. A goal is a number of one work, absolute or relative to other peers' in the same rounds. */
export interface Goal {
  readonly work: string;
  readonly says: string;
  readonly peer: PeerName;
  readonly metric: string;
  readonly unit: 'times' | 'ms';
  /** Relative to the better of these (by their medians), round by round. */
  readonly against?: readonly PeerName[];
  /** Relative to the step before, over all steps of the work; the worst of them counts. */
  readonly betweenSteps?: boolean;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const SYNCHRONOUS = {
  peer: 'millpond',
  metric: 'perSecond',
  unit: 'times',
  against: SYNCHRONOUS_DRIVERS,
} as const;
const LOOP = { peer: 'millpond', metric: 'loopDelayP99Ms', unit: 'ms', atMost: 5 } as const;
const POOLS = {
  peer: 'millpond pool',
  metric: 'perSecond',
  unit: 'times',
  against: ['tarn', 'generic-pool'],
  atLeast: 1,
} as const;
const DRIZZLE = {
  peer: 'millpond drizzle',
  metric: 'perSecond',
  unit: 'times',
  against: ['drizzle'],
} as const;
const KYSELY = { ...DRIZZLE, peer: 'millpond kysely', against: ['kysely'] } as const;
/** No cliff: ten times the rows, or four times the callers, may cost half the speed, never more. */
const NO_CLIFF = { peer: 'millpond', unit: 'times', betweenSteps: true, atLeast: 0.5 } as const;

export const GOALS: readonly Goal[] = [
  { ...SYNCHRONOUS, work: 'point-reads-64', says: 'speed vs the faster synchronous driver', atLeast: 1 },
  { ...LOOP, work: 'point-reads-64', says: 'event-loop delay p99' },
  {
    ...SYNCHRONOUS,
    work: 'point-reads-1',
    says: 'speed vs the faster synchronous driver',
    atLeast: 0.85,
  },
  { ...LOOP, work: 'point-reads-1', says: 'event-loop delay p99' },
  {
    ...SYNCHRONOUS,
    against: ['better-sqlite3'],
    work: 'range-reads-64',
    says: 'speed vs better-sqlite3 .all()',
    atLeast: 1,
  },
  {
    work: 'range-reads-64',
    says: 'main CPU per row vs better-sqlite3 .all()',
    peer: 'millpond',
    metric: 'mainCpuUsPerRow',
    unit: 'times',
    against: ['better-sqlite3'],
    atMost: 0.5,
  },
  {
    work: 'json-body',
    says: 'main busy vs JSON.stringify(stmt.all())',
    peer: 'millpond',
    metric: 'mainBusyMs',
    unit: 'times',
    against: ['better-sqlite3'],
    atMost: 0.1,
  },
  {
    ...SYNCHRONOUS,
    work: 'inserts-full-64',
    says: 'speed vs one-by-one synchronous autocommit',
    atLeast: 20,
  },
  {
    ...SYNCHRONOUS,
    work: 'inserts-full-1',
    says: 'speed vs one-by-one synchronous autocommit',
    atLeast: 0.4,
  },
  {
    ...SYNCHRONOUS,
    work: 'inserts-normal-64',
    says: 'speed vs one-by-one synchronous autocommit',
    atLeast: 3,
  },
  {
    ...SYNCHRONOUS,
    against: ['better-sqlite3'],
    work: 'transactions-16',
    says: 'speed vs synchronous better-sqlite3',
    atLeast: 0.5,
  },
  { ...LOOP, work: 'transactions-16', says: 'event-loop delay p99' },
  {
    work: 'reads-under-scans',
    says: 'point read p99',
    peer: 'millpond',
    metric: 'p99Ms',
    unit: 'ms',
    atMost: 5,
  },
  {
    work: 'reads-under-scans',
    says: 'longest stall',
    peer: 'millpond',
    metric: 'loopMaxMs',
    unit: 'ms',
    atMost: 10,
  },
  { ...POOLS, work: 'leases-uncontended', says: 'speed vs the faster of tarn, generic-pool' },
  { ...POOLS, work: 'leases-contended', says: 'speed vs the faster of tarn, generic-pool' },
  { ...NO_CLIFF, work: 'growth-callers', says: 'no cliff: speed from step to step', metric: 'perSecond' },
  {
    ...NO_CLIFF,
    work: 'growth-insert-callers',
    says: 'no cliff: speed from step to step',
    metric: 'perSecond',
  },
  {
    ...NO_CLIFF,
    work: 'growth-rows-read',
    says: 'no cliff: rows/s from step to step',
    metric: 'rowsPerSecond',
  },
  {
    ...NO_CLIFF,
    work: 'growth-rows-inserted',
    says: 'no cliff: rows/s from step to step',
    metric: 'rowsPerSecond',
  },
  {
    ...DRIZZLE,
    work: 'drizzle-point-reads-64',
    says: 'drizzle: speed vs drizzle on better-sqlite3',
    atLeast: 1,
  },
  {
    ...DRIZZLE,
    work: 'drizzle-inserts-full-64',
    says: 'drizzle: speed vs drizzle on better-sqlite3',
    atLeast: 10,
  },
  {
    work: 'drizzle-reads-under-scans',
    says: 'drizzle: longest stall',
    peer: 'millpond drizzle',
    metric: 'loopMaxMs',
    unit: 'ms',
    atMost: 10,
  },
  {
    ...DRIZZLE,
    work: 'drizzle-save-many',
    says: 'saveMany: rows/s vs a hand-written batch',
    metric: 'rowsPerSecond',
    against: ['millpond'],
    atLeast: 0.8,
  },
  {
    ...KYSELY,
    work: 'kysely-point-reads-64',
    says: 'kysely: speed vs kysely on better-sqlite3',
    atLeast: 1,
  },
  {
    ...KYSELY,
    work: 'kysely-inserts-full-64',
    says: 'kysely: speed vs kysely on better-sqlite3',
    atLeast: 10,
  },
];

/** Not goals of ours but proof that the work is what its title says. */
export const CHECKS: readonly Goal[] = [
  {
    work: 'reads-under-scans',
    says: '(proof) stall of a synchronous driver',
    peer: 'better-sqlite3',
    metric: 'loopMaxMs',
    unit: 'ms',
    atLeast: 1_000,
  },
];
