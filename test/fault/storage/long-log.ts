import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, type Database, type DatabaseOptions, type EventOf } from '../../../src/index.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { Scratch } from './scratch.ts';

/** The log's size at which it is checkpointed here. Small, so that a log that only grows shows soon. */
export const LIMIT_BYTES: number = 256 * 1_024;
const CALLERS = 4;
const WARM_UP_MS = 300;
/** One row of this size and its page header fill a page of the log. */
const ROW_BYTES = 3_900;

/** What the log and the writers went through. */
export interface LogReport {
  readonly writtenBytes: number;
  readonly mostLogBytes: number;
  /** By how much its file still grew while as much again was written, nothing being in its way any more. */
  readonly laterGrowthBytes: number;
  readonly alarms: readonly EventOf<'sqlite:wal-pinned'>[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** What goes on beside the writers; it ends when `isOver` says so. */
export type Neighbour = (db: Database, isOver: () => boolean) => Promise<unknown>;

/**
 * Writes `megabytes` from a few callers, in small transactions of one row each, while `neighbour` does its
 * own; the log is measured meanwhile, and once more when the neighbour has ended.
 */
export async function writeBeside(
  megabytes: number,
  neighbour: Neighbour,
  options: DatabaseOptions = {},
): Promise<LogReport> {
  using scratch = new Scratch();
  const settings = { log: 'silent', ...options, sqlite: { walCheckpointBytes: LIMIT_BYTES } } as const;
  await using db = await openDatabase(`sqlite:${scratch.file('app.db')}`, { ...settings, name: false });
  await db.script('create table rows (id integer primary key, payload blob not null)');
  const alarms: LogReport['alarms'][number][] = [];
  db.on('sqlite:wal-pinned', (alarm) => alarms.push(alarm));
  let isOver = false;
  let mostLogBytes = 0;
  const look = () => (mostLogBytes = Math.max(mostLogBytes, logBytes(db)));
  const looking = setInterval(look, 5);
  const neighbouring = neighbour(db, () => isOver);
  // By then it is known whether what the neighbour runs is heavy or light.
  await sleep(WARM_UP_MS);
  const latencies = await writeAll(db, Math.ceil((megabytes * 1_024 ** 2) / ROW_BYTES));
  isOver = true;
  await neighbouring;
  clearInterval(looking);
  look();
  await writeAll(db, latencies.length);
  return { ...describe(latencies), mostLogBytes, laterGrowthBytes: logBytes(db) - mostLogBytes, alarms };
}

const SCENARIOS: Readonly<
  Record<string, { readonly neighbour: Neighbour; readonly options?: DatabaseOptions }>
> = {
  alone: { neighbour: async () => undefined },
  oneConnection: { neighbour: async () => undefined, options: { pooled: false } },
  scans: { neighbour: (db, isOver) => scanWithoutPause(db, isOver) },
  forgottenTransaction: { neighbour: (db, isOver) => forgetTransaction(db, isOver) },
  forgottenStream: { neighbour: (db, isOver) => forgetStream(db, isOver) },
};

/** C16: writes `count` megabytes beside each kind of reader, and measures the log and the writes. */
export async function measureLog({ count }: Extent): Promise<Outcome> {
  const findings = new Findings();
  for (const [name, { neighbour, options }] of Object.entries(SCENARIOS)) {
    const report = await writeBeside(count, neighbour, options);
    findings.add(`${name}: log MiB`, Math.round(report.mostLogBytes / 1_024 ** 2));
    findings.add(`${name}: alarms`, report.alarms.length);
    findings.add(`${name}: write p50 ms`, round(report.p50Ms));
    findings.add(`${name}: write p99 ms`, round(report.p99Ms));
    findings.add(`${name}: slowest write ms`, Math.round(report.slowestMs));
    if (report.slowestMs > 2_000) findings.break(`${name}: a write took ${report.slowestMs} ms`);
  }
  return findings.outcome();
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** Statements of some milliseconds each, one right after the other on every reader there is. */
export const scanWithoutPause: Neighbour = async (db, isOver) => {
  const scan = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
    select count(*) from n where i > (select count(*) from rows)`;
  const scanOn = async () => {
    while (!isOver()) await db.value(scan);
  };
  await Promise.all([scanOn(), scanOn(), scanOn()]);
};

/** A read transaction that somebody holds without a statement, until the database ends it. */
export const forgetTransaction: Neighbour = async (db, isOver) => {
  const forget = async () => {
    while (!isOver()) await sleep(5);
  };
  await db.transaction((tx) => tx.all('select id from rows limit 1').then(forget), {
    readOnly: true,
    name: 'report',
  });
};

/** A stream whose consumer took some rows and went away. */
export const forgetStream: Neighbour = async (db, isOver) => {
  const stream = db.stream(
    'with recursive n(i) as (select 1 union all select i + 1 from n) select i from n, rows',
    [],
    {
      name: 'export',
    },
  );
  while (logBytes(db) < LIMIT_BYTES) await sleep(1);
  await stream.next();
  while (!isOver()) await sleep(5);
  await stream.return?.();
};

async function writeAll(db: Database, rows: number): Promise<number[]> {
  const latencies: number[] = [];
  const write = async () => {
    while (latencies.length < rows) {
      const startedAt = performance.now();
      await db.run('insert into rows (payload) values (zeroblob(?))', [ROW_BYTES]);
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, write));
  return latencies;
}

function logBytes(db: Database): number {
  return Number(db.stats().sqlite!['walBytes']);
}

function describe(latencies: readonly number[]) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]!;
  return { writtenBytes: sorted.length * ROW_BYTES, p50Ms: at(0.5), p99Ms: at(0.99), slowestMs: at(1) };
}
