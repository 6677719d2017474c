import { strictEqual } from 'node:assert/strict';
import { statSync } from 'node:fs';
import { measureCallers } from '../harness/callers.ts';
import { eventOf } from '../harness/seed.ts';
import { SYNCHRONOUS_DRIVERS, type Synchronous } from '../peers/index.ts';
import { numberInFile } from './answers.ts';
import { callersOf, SQL_PEERS, THROUGHPUT_COLUMNS, type Work } from './work.ts';

export function inserts(callers: number, synchronous: Synchronous): Work {
  return {
    name: `inserts-${synchronous}-${callers}`,
    title: `inserts (${synchronous.toUpperCase()}), ${callersOf(callers)}`,
    what: `one row of about 90 bytes, answered after its commit at synchronous = ${synchronous}; rows counted afterwards`,
    peers: SQL_PEERS,
    reference: SYNCHRONOUS_DRIVERS,
    better: 'higher',
    columns: [...THROUGHPUT_COLUMNS, { metric: 'walMb', title: 'WAL', unit: 'mb' }],
    seed: 'items',
    synchronous,
    async run({ openSql, warmUpMs, measureMs, file }) {
      const peer = await openSql({ writes: true });
      let acknowledged = 0;
      const metrics = await measureCallers({
        callers,
        warmUpMs,
        measureMs,
        call: (random) => peer.insert(eventOf(random)),
        take: () => void acknowledged++,
      });
      // Checkpoints put off until later would be speed borrowed.
      const walMb = statSync(`${file}-wal`).size / 1024 / 1024;
      await peer.close();
      strictEqual(numberInFile(file, 'select count(*) from events'), acknowledged, 'rows in the file');
      return { ...metrics, walMb };
    },
  };
}
