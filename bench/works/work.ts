import type { Metrics } from '../harness/meter.ts';
import type { SeedName } from '../harness/seed.ts';
import type { LeasePeer, OpenOptions, PeerName, SqlPeer, Synchronous } from '../peers/index.ts';

export type Unit = 'perSecond' | 'ms' | 'us' | 'mb' | 'count';

/** A figure of the report. The first column of a work is the one that peers are compared by. */
export interface Column {
  readonly metric: string;
  readonly title: string;
  readonly unit: Unit;
  /** Show what each unit of the step adds: the difference to the smallest step, divided by that of the steps. */
  readonly perStep?: boolean;
}

/** What a cell (work, step, peer) gets to work with in its own process. */
export interface WorkContext {
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** The step's number where a work has steps, else 0. */
  readonly step: number;
  /** Numbers per item that make a scan last about a second on this machine. */
  readonly scanRows: number;
  readonly file: string;
  /** Opens the cell's peer on the cell's own file. The work closes it. */
  openSql(options?: Pick<OpenOptions, 'readers' | 'writes'>): Promise<SqlPeer>;
  openPool(max: number): Promise<LeasePeer>;
  /** One number of what was stored, read without the peer, after it was closed. */
  storedNumber(text: string): Promise<number>;
  /** A synchronous driver: a second reader is a second connection. */
  readonly synchronousPeer: boolean;
}

export interface Work {
  /** Short and stable, for `--only` and JSON. */
  readonly name: string;
  readonly title: string;
  /** One line of exactly what is done. */
  readonly what: string;
  readonly peers: readonly PeerName[];
  /** What the first column is compared with: the better of these. */
  readonly reference: readonly PeerName[];
  readonly better: 'higher' | 'lower';
  readonly columns: readonly Column[];
  readonly seed: SeedName;
  readonly synchronous: Synchronous;
  /** A work that is run at several sizes; each size is a cell of its own. */
  readonly steps?: readonly Step[];
  /** Most rounds worth their time; the run's own number where absent. */
  readonly maxRounds?: number;
  run(context: WorkContext): Promise<Metrics>;
}

export interface Step {
  readonly value: number;
  readonly title: string;
  /** Left out of `--quick`. */
  readonly long?: boolean;
}

export function callersOf(callers: number): string {
  return callers === 1 ? '1 caller' : `${callers.toLocaleString('en')} callers`;
}

export const SQL_PEERS: readonly PeerName[] = [
  'millpond',
  'better-sqlite3',
  'node:sqlite',
  'libsql promise',
  'better-sqlite3 workers',
  'drizzle',
  'kysely',
];

export const THROUGHPUT_COLUMNS: readonly Column[] = [
  { metric: 'perSecond', title: 'per second', unit: 'perSecond' },
  { metric: 'p50Ms', title: 'p50', unit: 'ms' },
  { metric: 'p99Ms', title: 'p99', unit: 'ms' },
  { metric: 'loopDelayP99Ms', title: 'loop p99', unit: 'ms' },
  { metric: 'mainCpuUsPerCall', title: 'main CPU', unit: 'us' },
  { metric: 'allCpuUsPerCall', title: 'all CPU', unit: 'us' },
];
