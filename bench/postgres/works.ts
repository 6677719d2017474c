import { Meter } from '../harness/meter.ts';
import { measureCallers } from '../harness/callers.ts';
import { runOpenLoop } from '../harness/open-loop.ts';
import { ITEM_COUNT } from '../harness/seed.ts';
import type { SqlPeer } from '../peers/index.ts';
import { checkReads, consume } from '../works/answers.ts';
import { growthOfCallers, growthOfInsertCallers } from '../works/growth.ts';
import { measureInserts } from '../works/inserts.ts';
import { pointReads } from '../works/point-reads.ts';
import { transactions } from '../works/transactions.ts';
import { THROUGHPUT_COLUMNS, type Column, type Work } from '../works/work.ts';
import { ALL_PEERS, OTHER_PEERS, PG_PEERS } from './peers/index.ts';

const CONNECTIONS_COLUMN: Column = { metric: 'connections', title: 'connections', unit: 'count' };
const SERVER = {
  peers: ALL_PEERS,
  reference: OTHER_PEERS,
  columns: [...THROUGHPUT_COLUMNS, CONNECTIONS_COLUMN],
} as const;

const READ = 'one row of 6 columns by primary key, random out of 100,000; a caller awaits its row';

const inserts: Work = {
  ...pointReads(64),
  ...SERVER,
  name: 'inserts-64',
  title: 'durable inserts, 64 callers',
  what: 'one row of about 90 bytes, answered after its commit was written to disk; rows counted afterwards',
  run: (context) => measureInserts(context, 64),
};

const ROWS = 10_000;

const manyRows: Work = {
  ...SERVER,
  name: 'rows-10000',
  title: '10,000 rows in one call',
  what: 'one caller; all rows as objects, every column looked at',
  better: 'lower',
  columns: [
    { metric: 'mainCpuMsPerCall', title: 'main CPU/call', unit: 'ms' },
    { metric: 'p50Ms', title: 'wall p50', unit: 'ms' },
    { metric: 'loopMaxMs', title: 'loop max', unit: 'ms' },
    { metric: 'rssMb', title: 'RSS', unit: 'mb' },
  ],
  seed: 'items',
  synchronous: 'full',
  async run({ openSql, warmUpMs, measureMs }) {
    const peer = await openSql();
    await checkReads(peer);
    const metrics = await measureCallers({
      callers: 1,
      warmUpMs,
      measureMs,
      call: (random) => peer.rangeRead(1 + random.below(ITEM_COUNT.items - ROWS), ROWS),
      take: (rows) => {
        if (rows.length !== ROWS) throw new RangeError(`${rows.length} rows instead of ${ROWS}.`);
        consume(rows);
      },
    });
    await peer.close();
    return { ...metrics, mainCpuMsPerCall: metrics['mainCpuUsPerCall']! / 1_000 };
  },
};

const READS_PER_SECOND = 500;
const SLOW_CALLERS = 5;
/** Several slow queries long, however short the other works are. */
const SHORTEST_MS = 2_000;

const besideSlow: Work = {
  ...SERVER,
  name: 'reads-beside-slow',
  title: 'point reads beside 5 slow queries',
  what: `${READS_PER_SECOND} point reads a second, timed from when they were due: alone, then while ${SLOW_CALLERS} callers keep asking for pg_sleep(0.5)`,
  better: 'lower',
  columns: [
    { metric: 'p99Ms', title: 'p99 beside', unit: 'ms' },
    { metric: 'aloneP99Ms', title: 'p99 alone', unit: 'ms' },
    { metric: 'p50Ms', title: 'p50 beside', unit: 'ms' },
    { metric: 'maxMs', title: 'max beside', unit: 'ms' },
    CONNECTIONS_COLUMN,
  ],
  seed: 'items',
  synchronous: 'full',
  maxRounds: 3,
  async run({ openSql, measureMs, warmUpMs }) {
    const peer = await openSql();
    await checkReads(peer);
    const call = (random: Parameters<Parameters<typeof runOpenLoop>[0]['call']>[0]) =>
      peer.pointRead(1 + random.below(ITEM_COUNT.items));
    const loop = { perSecond: READS_PER_SECOND, call };
    const forMs = Math.max(measureMs * 2, SHORTEST_MS);
    await runOpenLoop({ ...loop, forMs: warmUpMs });
    const alone = await runOpenLoop({ ...loop, forMs });
    const asking = new AbortController();
    const askers = Array.from({ length: SLOW_CALLERS }, () => askUntil(asking.signal, peer));
    const meter = new Meter();
    await meter.start();
    const beside = await runOpenLoop({ ...loop, forMs });
    const metrics = await meter.stop();
    asking.abort();
    await Promise.all(askers);
    await peer.close();
    return {
      ...metrics,
      p50Ms: beside.quantileMs(0.5),
      p99Ms: beside.quantileMs(0.99),
      maxMs: beside.maxMs,
      aloneP99Ms: alone.quantileMs(0.99),
      p99Growth: beside.quantileMs(0.99) / alone.quantileMs(0.99),
    };
  },
};

async function askUntil(signal: AbortSignal, peer: SqlPeer): Promise<void> {
  while (!signal.aborted) await peer.value('select pg_sleep(0.5)');
}

const GROWTH = {
  peers: ['millpond', 'pg named', 'postgres.js'],
  reference: ['pg named', 'postgres.js'],
  columns: [...growthOfCallers.columns, CONNECTIONS_COLUMN],
} as const;

/** In the order of the report. */
export const POSTGRES_WORKS: readonly Work[] = [
  { ...pointReads(64), ...SERVER, what: READ },
  { ...pointReads(1), ...SERVER, reference: PG_PEERS, what: READ },
  {
    ...transactions,
    ...SERVER,
    title: 'read-modify-write transactions, 16 callers',
    what: 'begin, select a balance for update, set it to that plus one, commit; the sum of balances checked afterwards',
  },
  inserts,
  besideSlow,
  manyRows,
  { ...growthOfCallers, ...GROWTH },
  { ...growthOfInsertCallers, ...GROWTH, what: 'the durable inserts above, at a growing number of callers' },
];
