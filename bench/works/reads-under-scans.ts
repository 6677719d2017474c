import { setImmediate as nextTurn } from 'node:timers/promises';
import { Meter } from '../harness/meter.ts';
import { runOpenLoop } from '../harness/open-loop.ts';
import { ITEM_COUNT } from '../harness/seed.ts';
import { medianOf } from '../harness/statistics.ts';
import { SYNCHRONOUS_DRIVERS, scanOf, type SqlPeer } from '../peers/index.ts';
import { checkReads } from './answers.ts';
import type { Work } from './work.ts';

const READS_PER_SECOND = 2_000;
const SCANNERS = 2;
/** Several scans long, however short the other works are. */
const SHORTEST_MS = 3_000;

export const readsUnderScans: Work = {
  name: 'reads-under-scans',
  title: 'point reads while two 1 s scans run',
  what: `${READS_PER_SECOND} point reads a second, each timed from the moment it was due; 2 callers scan without a pause`,
  peers: ['millpond', 'better-sqlite3', 'node:sqlite', 'libsql promise', 'better-sqlite3 workers'],
  reference: SYNCHRONOUS_DRIVERS,
  better: 'lower',
  columns: [
    { metric: 'p99Ms', title: 'read p99', unit: 'ms' },
    { metric: 'p50Ms', title: 'read p50', unit: 'ms' },
    { metric: 'maxMs', title: 'read max', unit: 'ms' },
    { metric: 'loopMaxMs', title: 'loop max', unit: 'ms' },
    { metric: 'scansPerSecond', title: 'scans/s', unit: 'perSecond' },
    { metric: 'scanMs', title: 'scan time', unit: 'ms' },
  ],
  seed: 'items',
  synchronous: 'full',
  maxRounds: 3,
  async run({ openSql, measureMs, scanRows }) {
    const peer = await openSql();
    await checkReads(peer);
    const text = scanOf(scanRows);
    // Two scans before the clock starts: workers exist, statements are known, and so is what they cost.
    await Promise.all(Array.from({ length: SCANNERS }, () => peer.value(text)));
    const meter = new Meter();
    await meter.start();
    const scansBegan = performance.now();
    const scanning = new AbortController();
    const scanners = Array.from({ length: SCANNERS }, () => scanUntil(scanning.signal, peer, text));
    const latencies = await runOpenLoop({
      perSecond: READS_PER_SECOND,
      forMs: Math.max(measureMs * 5, SHORTEST_MS),
      call: (random) => peer.pointRead(1 + random.below(ITEM_COUNT.items)),
    });
    const metrics = await meter.stop();
    scanning.abort();
    const scansMs = (await Promise.all(scanners)).flat();
    const scannedMs = performance.now() - scansBegan;
    await peer.close();
    return {
      ...metrics,
      p50Ms: latencies.quantileMs(0.5),
      p99Ms: latencies.quantileMs(0.99),
      maxMs: latencies.maxMs,
      scanMs: medianOf(scansMs),
      scansPerSecond: (scansMs.length / scannedMs) * 1_000,
    };
  },
};

/** @returns how long each scan took. */
async function scanUntil(signal: AbortSignal, peer: SqlPeer, text: string): Promise<number[]> {
  const durationsMs: number[] = [];
  while (!signal.aborted) {
    // A turn between scans: without it a synchronous driver would never let the loop turn at all.
    await nextTurn();
    const before = performance.now();
    await peer.value(text);
    durationsMs.push(performance.now() - before);
  }
  return durationsMs;
}
