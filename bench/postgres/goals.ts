import type { Goal } from '../goals.ts';
import { OTHER_PEERS, PG_PEERS } from './peers/index.ts';

const SPEED = { peer: 'millpond', metric: 'perSecond', unit: 'times', against: OTHER_PEERS } as const;
const BETTER = 'speed vs the better of pg and postgres.js';
const STEPS = { peer: 'millpond', unit: 'times', betweenSteps: true } as const;

/** What a release must reach beside `pg.Pool` and postgres.js. */
export const POSTGRES_GOALS: readonly Goal[] = [
  { ...SPEED, work: 'point-reads-64', says: BETTER, atLeast: 2 },
  { ...SPEED, work: 'point-reads-1', says: 'speed vs pg', against: PG_PEERS, atLeast: 0.9 },
  { ...SPEED, work: 'transactions-16', says: BETTER, atLeast: 1 },
  { ...SPEED, work: 'inserts-64', says: BETTER, atLeast: 1.3 },
  {
    work: 'reads-beside-slow',
    says: 'p99 beside 5 slow queries vs alone',
    peer: 'millpond',
    metric: 'p99Growth',
    unit: 'times',
    atMost: 2,
  },
  {
    ...SPEED,
    work: 'rows-10000',
    says: 'main-thread time vs the better of pg and postgres.js',
    metric: 'mainCpuMsPerCall',
    atMost: 1,
  },
  // Four times the callers may cost half the speed, never more.
  {
    ...STEPS,
    work: 'growth-callers',
    says: 'no cliff: speed from step to step',
    metric: 'perSecond',
    atLeast: 0.5,
  },
  {
    ...STEPS,
    work: 'growth-callers',
    says: 'no cliff: memory from step to step',
    metric: 'rssMb',
    atMost: 2,
  },
  {
    ...STEPS,
    work: 'growth-insert-callers',
    says: 'no cliff: speed from step to step',
    metric: 'perSecond',
    atLeast: 0.5,
  },
  {
    ...STEPS,
    work: 'growth-insert-callers',
    says: 'no cliff: memory from step to step',
    metric: 'rssMb',
    atMost: 2,
  },
];
