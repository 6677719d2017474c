import { strictEqual } from 'node:assert/strict';
import { statSync } from 'node:fs';
import { measureCallers } from '../harness/callers.ts';
import type { Metrics } from '../harness/meter.ts';
import { eventOf } from '../harness/seed.ts';
import { SYNCHRONOUS_DRIVERS, type Synchronous } from '../peers/index.ts';
import { callersOf, SQL_PEERS, THROUGHPUT_COLUMNS, type Work, type WorkContext } from './work.ts';

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
    run: (context) =>
      measureInserts(context, callers, () => ({
        // Checkpoints put off until later would be speed borrowed.
        walMb: statSync(`${context.file}-wal`).size / 1024 / 1024,
      })),
  };
}

/** @param atEnd - more figures, taken before the peer is closed */
export async function measureInserts(
  { openSql, warmUpMs, measureMs, storedNumber }: WorkContext,
  callers: number,
  atEnd: () => Metrics = () => ({}),
): Promise<Metrics> {
  const peer = await openSql({ writes: true });
  let acknowledged = 0;
  const metrics = await measureCallers({
    callers,
    warmUpMs,
    measureMs,
    call: (random) => peer.insert(eventOf(random)),
    take: () => void acknowledged++,
  });
  const more = atEnd();
  await peer.close();
  strictEqual(await storedNumber('select count(*) from events'), acknowledged, 'rows stored');
  return { ...metrics, ...more };
}
