import { checkReads } from './answers.ts';
import type { Work } from './work.ts';
import { SQL_PEERS } from './work.ts';

export const firstQuery: Work = {
  name: 'first-query',
  title: 'open + first query',
  what: 'from the call that opens an existing file of 100,000 rows to the first row, in a new process, module loaded',
  peers: SQL_PEERS,
  reference: ['better-sqlite3'],
  better: 'lower',
  columns: [
    { metric: 'firstMs', title: 'first time', unit: 'ms' },
    { metric: 'againMs', title: 'again (warm)', unit: 'ms' },
    { metric: 'rssMb', title: 'RSS after', unit: 'mb' },
  ],
  seed: 'items',
  synchronous: 'full',
  async run({ openSql }) {
    const firstMs = await openAndRead(openSql);
    const againMs: number[] = [];
    for (let time = 0; time < 5; time++) againMs.push(await openAndRead(openSql));
    const peer = await openSql();
    await checkReads(peer);
    const rssMb = process.memoryUsage.rss() / 1024 / 1024;
    await peer.close();
    return { firstMs, againMs: Math.min(...againMs), rssMb };
  },
};

async function openAndRead(openSql: Parameters<Work['run']>[0]['openSql']): Promise<number> {
  const before = performance.now();
  const peer = await openSql();
  await peer.pointRead(4_711);
  const ms = performance.now() - before;
  await peer.close();
  return ms;
}
