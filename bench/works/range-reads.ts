import { measureCallers } from '../harness/callers.ts';
import { ITEM_COUNT } from '../harness/seed.ts';
import { checkReads, consume } from './answers.ts';
import { SQL_PEERS, THROUGHPUT_COLUMNS, type Work } from './work.ts';

const CALLERS = 64;
const ROWS = 100;

export const rangeReads: Work = {
  name: 'range-reads-64',
  title: '100-row reads, 64 callers',
  what: '100 neighbouring rows of 6 columns from a random place; every column of every row is read by the caller',
  peers: SQL_PEERS,
  reference: ['better-sqlite3'],
  better: 'higher',
  columns: [
    ...THROUGHPUT_COLUMNS.slice(0, 4),
    { metric: 'mainCpuUsPerRow', title: 'main CPU/row', unit: 'us' },
  ],
  seed: 'items',
  synchronous: 'full',
  async run({ openSql, warmUpMs, measureMs }) {
    const peer = await openSql();
    await checkReads(peer);
    const metrics = await measureCallers({
      callers: CALLERS,
      warmUpMs,
      measureMs,
      call: (random) => peer.rangeRead(1 + random.below(ITEM_COUNT.items - ROWS), ROWS),
      take: (rows) => void consume(rows),
    });
    await peer.close();
    return { ...metrics, mainCpuUsPerRow: metrics['mainCpuUsPerCall']! / ROWS };
  },
};
