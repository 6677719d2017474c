import { readFileSync } from 'node:fs';
import { measureCallers } from '../harness/callers.ts';
import { ITEM_COUNT } from '../harness/seed.ts';
import type { SqlPeer } from '../peers/index.ts';
import type { Work } from './work.ts';

const ROWS = 1_000;

/** Steps are numbers of readers; what each further one costs is their difference. */
export const readerMemory: Work = {
  name: 'reader-memory',
  title: 'memory per reader',
  what: 'RSS after 1,000-row reads all over the file, with 1 and 4 connections (synchronous) or workers reading it',
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
  async run({ openSql, step, synchronousPeer, warmUpMs, measureMs }) {
    const peers: SqlPeer[] = [];
    if (synchronousPeer) for (let index = 0; index < step; index++) peers.push(await openSql());
    else peers.push(await openSql({ readers: step }));
    let turn = 0;
    await measureCallers({
      callers: 16,
      warmUpMs,
      measureMs,
      call: (random) =>
        peers[turn++ % peers.length]!.rangeRead(1 + random.below(ITEM_COUNT.items - ROWS), ROWS),
    });
    globalThis.gc?.();
    const metrics = { rssMb: process.memoryUsage.rss() / 1024 / 1024, anonymousMb: anonymousMb() };
    for (const peer of peers) await peer.close();
    return metrics;
  },
};

/** Memory that is not a file's pages: a page of the mapped database counts in RSS once for every mapping of it. */
function anonymousMb(): number {
  if (process.platform !== 'linux') return Number.NaN;
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found![1]) / 1024;
}
