import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../../../src/index.ts';
import { WorkerFaults } from '../../../fixtures/worker-faults.ts';

/* Three transactions at once, and the COMMIT of the first is late or fails: the next stands behind it already. */

const SQLITE_IOERR_WRITE = 778;
const folder = mkdtempSync(join(tmpdir(), 'millpond-late-commit-'));
const faults = new WorkerFaults();
const FAULTS = {
  late: () => faults.arm('before commit', 'wait', { argument: 1_300 }),
  failed: () => faults.arm('before commit', 'fail', { argument: SQLITE_IOERR_WRITE }),
};

const told: Record<string, unknown> = {};
for (const [kind, arm] of Object.entries(FAULTS)) {
  const url = `sqlite:${join(folder, `${kind}.db`)}`;
  const db = await openDatabase({ url, name: false, log: 'silent', cancelGraceMs: 50 });
  await db.script('create table row (id integer primary key)');
  arm();
  const outcomes = [800, 20_000, 20_000].map(async (timeoutMs, index) => {
    try {
      await db.transaction((tx) => tx.run('insert into row values (?)', [index + 1]), { timeoutMs });
      return 'committed';
    } catch (error) {
      const { constructor, retryable } = error as Error & { retryable: boolean };
      return `${constructor.name}${retryable ? ', retryable' : ''}`;
    }
  });
  const all = await Promise.all(outcomes);
  const rows = (await db.all<{ id: number }>('select id from row order by id')).map(({ id }) => id);
  told[kind] = { outcomes: all, rows, replaced: db.stats().pool.retired };
  await db.close();
}
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ told }));
