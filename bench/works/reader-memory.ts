import { readFileSync } from 'node:fs';
import { Random } from '../harness/random.ts';
import { ITEM_COUNT } from '../harness/seed.ts';
import type { SqlPeer } from '../peers/index.ts';
import type { Work } from './work.ts';

const ROWS = 1_000;
const READS = 300;

/** Steps are numbers of readers; what each further one costs is their difference. */
export const readerMemory: Work = {
  name: 'reader-memory',
  title: 'memory per reader',
  what: 'RSS after 300 reads of 1,000 rows all over the file by each of 1 and 4 connections (synchronous) or workers',
  peers: ['millpond', 'better-sqlite3', 'node:sqlite', 'better-sqlite3 workers'],
  reference: ['better-sqlite3 workers'],
  better: 'lower',
  columns: [
    { metric: 'rssMb', title: 'RSS', unit: 'mb' },
    { metric: 'anonymousMb', title: 'of it anonymous', unit: 'mb' },
    { metric: 'rssMb', title: 'per further reader', unit: 'mb', perStep: true },
    { metric: 'anonymousMb', title: 'of it anonymous', unit: 'mb', perStep: true },
  ],
  seed: 'items',
  synchronous: 'full',
  maxRounds: 3,
  steps: [
    { value: 1, title: '1 reader' },
    { value: 4, title: '4 readers' },
  ],
  async run({ openSql, step, synchronousPeer }) {
    const peers = await openPeers(synchronousPeer ? step : 1, () => openSql({ readers: step }));
    const held = await peers[0]!.holdReaders?.(step);
    const readers = held ?? (synchronousPeer ? peers : Array.from({ length: step }, () => peers[0]!));
    await Promise.all(readers.map((reader, index) => readEverywhere(reader, new Random(index))));
    for (const reader of held ?? []) await reader.release();
    globalThis.gc?.();
    const metrics = { rssMb: process.memoryUsage.rss() / 1024 / 1024, anonymousMb: anonymousMb() };
    for (const peer of peers) await peer.close();
    return metrics;
  },
};

async function openPeers(count: number, open: () => Promise<SqlPeer>): Promise<SqlPeer[]> {
  const peers: SqlPeer[] = [];
  for (let index = 0; index < count; index++) peers.push(await open());
  return peers;
}

/** Enough to fill the page cache; as many loops as readers keep each of them busy. */
async function readEverywhere(reader: Pick<SqlPeer, 'rangeRead'>, random: Random): Promise<void> {
  for (let time = 0; time < READS; time++) {
    await reader.rangeRead(1 + random.below(ITEM_COUNT.items - ROWS), ROWS);
  }
}

/** Memory that is not a file's pages: a page of the mapped database counts in RSS once for every mapping of it. */
function anonymousMb(): number {
  if (process.platform !== 'linux') return Number.NaN;
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found![1]) / 1024;
}
