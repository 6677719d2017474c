import { measureCallers } from '../harness/callers.ts';
import { ITEM_COUNT } from '../harness/seed.ts';
import { SYNCHRONOUS_DRIVERS } from '../peers/index.ts';
import { checkReads, consume } from './answers.ts';
import { callersOf, SQL_PEERS, THROUGHPUT_COLUMNS, type Work } from './work.ts';

export function pointReads(callers: number): Work {
  return {
    name: `point-reads-${callers}`,
    title: `point reads, ${callersOf(callers)}`,
    what: 'one row of 6 columns by rowid, random out of 100,000; a caller awaits its row, then asks for the next',
    peers: SQL_PEERS,
    reference: SYNCHRONOUS_DRIVERS,
    better: 'higher',
    columns: THROUGHPUT_COLUMNS,
    seed: 'items',
    synchronous: 'full',
    async run({ openSql, warmUpMs, measureMs }) {
      const peer = await openSql();
      await checkReads(peer);
      const metrics = await measureCallers({
        callers,
        warmUpMs,
        measureMs,
        call: (random) => peer.pointRead(1 + random.below(ITEM_COUNT.items)),
        take: (row) => void consume([row!]),
      });
      await peer.close();
      return metrics;
    },
  };
}
