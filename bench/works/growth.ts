import { strictEqual } from 'node:assert/strict';
import { measureCallers } from '../harness/callers.ts';
import { Meter, type Metrics } from '../harness/meter.ts';
import { Random } from '../harness/random.ts';
import { eventOf, ITEM_COUNT } from '../harness/seed.ts';
import { consume } from './answers.ts';
import { callersOf, type Step, type Work } from './work.ts';

const ROW_STEPS: readonly Step[] = [
  { value: 1_000, title: '1,000 rows' },
  { value: 10_000, title: '10,000 rows' },
  { value: 100_000, title: '100,000 rows' },
  { value: 1_000_000, title: '1,000,000 rows', long: true },
];

const BASE = {
  peers: ['millpond', 'better-sqlite3'],
  reference: ['better-sqlite3'],
  better: 'higher',
  synchronous: 'full',
  maxRounds: 3,
} as const satisfies Partial<Work>;

const ROW_COLUMNS = [
  { metric: 'rowsPerSecond', title: 'rows/s', unit: 'perSecond' },
  { metric: 'usPerRow', title: 'time/row', unit: 'us' },
  { metric: 'loopMaxMs', title: 'loop max', unit: 'ms' },
  { metric: 'rssMb', title: 'RSS', unit: 'mb' },
] as const;

export const growthOfCallers: Work = {
  ...BASE,
  name: 'growth-callers',
  title: 'growth: point reads with 1 … 1,024 callers',
  what: 'the point reads above, at a growing number of callers',
  columns: [
    { metric: 'perSecond', title: 'per second', unit: 'perSecond' },
    { metric: 'p50Ms', title: 'p50', unit: 'ms' },
    { metric: 'p99Ms', title: 'p99', unit: 'ms' },
    { metric: 'loopDelayP99Ms', title: 'loop p99', unit: 'ms' },
    { metric: 'rssMb', title: 'RSS', unit: 'mb' },
  ],
  seed: 'items',
  steps: [1, 4, 16, 64, 256, 1_024].map((value) => ({
    value,
    title: callersOf(value),
    long: value === 4 || value === 256,
  })),
  async run({ openSql, step, warmUpMs, measureMs }) {
    const peer = await openSql();
    const metrics = await measureCallers({
      callers: step,
      warmUpMs,
      measureMs,
      call: (random) => peer.pointRead(1 + random.below(ITEM_COUNT.items)),
      take: (row) => void consume([row!]),
    });
    await peer.close();
    return metrics;
  },
};

export const growthOfInsertCallers: Work = {
  ...growthOfCallers,
  name: 'growth-insert-callers',
  title: 'growth: durable inserts with 1 … 1,024 callers',
  what: 'the inserts at FULL above, at a growing number of callers',
  async run({ openSql, step, warmUpMs, measureMs }) {
    const peer = await openSql({ writes: true });
    const call = (random: Random): unknown => peer.insert(eventOf(random));
    const metrics = await measureCallers({ callers: step, warmUpMs, measureMs, call });
    await peer.close();
    return metrics;
  },
};

export const growthOfReads: Work = {
  ...BASE,
  name: 'growth-rows-read',
  title: 'growth: 10³ … 10⁶ rows returned by one call',
  what: 'one call that returns all rows as objects; repeated until the time is up, at least once',
  columns: ROW_COLUMNS,
  seed: 'million items',
  steps: ROW_STEPS,
  async run({ openSql, step, warmUpMs, measureMs }) {
    const peer = await openSql();
    const read = async (): Promise<void> => {
      const rows = await peer.rangeRead(1, step);
      strictEqual(rows.length, step);
      consume(rows);
    };
    const metrics = await repeat(read, { rows: step, warmUpMs, measureMs });
    await peer.close();
    return metrics;
  },
};

export const growthOfInserts: Work = {
  ...BASE,
  name: 'growth-rows-inserted',
  title: 'growth: 10³ … 10⁶ rows inserted in transactions of 1,000',
  what: 'all rows, 1,000 to a transaction at FULL, one after the other; rows counted afterwards',
  columns: ROW_COLUMNS,
  seed: 'items',
  steps: ROW_STEPS,
  async run({ openSql, step, warmUpMs, measureMs, storedNumber }) {
    const peer = await openSql({ writes: true });
    const random = new Random(3);
    let inserted = 0;
    const insertAll = async (): Promise<void> => {
      for (let done = 0; done < step; done += 1_000) {
        await peer.insertMany!(Array.from({ length: 1_000 }, () => eventOf(random)));
      }
      inserted += step;
    };
    const metrics = await repeat(insertAll, { rows: step, warmUpMs, measureMs });
    await peer.close();
    strictEqual(await storedNumber('select count(*) from events'), inserted, 'rows in the file');
    return metrics;
  },
};

export async function repeat(
  work: () => Promise<void>,
  { rows, warmUpMs, measureMs }: { rows: number; warmUpMs: number; measureMs: number },
): Promise<Metrics> {
  const warmUntil = performance.now() + warmUpMs;
  while (performance.now() < warmUntil) await work();
  const meter = new Meter();
  await meter.start();
  const until = performance.now() + measureMs;
  let times = 0;
  do {
    await work();
    times++;
  } while (performance.now() < until);
  const metrics = await meter.stop();
  const rowsPerSecond = (times * rows * 1_000) / metrics.elapsedMs;
  return { ...metrics, rowsPerSecond, usPerRow: 1e6 / rowsPerSecond };
}
