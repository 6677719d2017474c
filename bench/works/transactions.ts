import { strictEqual } from 'node:assert/strict';
import { measureCallers } from '../harness/callers.ts';
import { ACCOUNT_COUNT } from '../harness/seed.ts';
import { THROUGHPUT_COLUMNS, type Work } from './work.ts';

export const transactions: Work = {
  name: 'transactions-16',
  title: 'read-modify-write transactions (FULL), 16 callers',
  what: 'begin immediate, select a balance, update it to that plus one, commit; the sum of balances checked afterwards',
  peers: ['millpond', 'better-sqlite3', 'node:sqlite', 'libsql promise', 'drizzle', 'kysely'],
  reference: ['better-sqlite3'],
  better: 'higher',
  columns: THROUGHPUT_COLUMNS,
  seed: 'items',
  synchronous: 'full',
  async run({ openSql, warmUpMs, measureMs, storedNumber }) {
    const peer = await openSql({ writes: true });
    let committed = 0;
    const metrics = await measureCallers({
      callers: 16,
      warmUpMs,
      measureMs,
      call: (random) => peer.increment!(1 + random.below(ACCOUNT_COUNT)),
      take: () => void committed++,
    });
    await peer.close();
    strictEqual(await storedNumber('select sum(balance) from accounts'), committed, 'sum of balances');
    return metrics;
  },
};
