import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../../../src/index.ts';
import { POINTS, WorkerFaults } from '../../../fixtures/worker-faults.ts';

/* What a caller is told when the writer dies at one point of its write, and what the file says after. */

const folder = mkdtempSync(join(tmpdir(), 'millpond-last-moment-'));
const faults = new WorkerFaults();
const db = await openDatabase({ url: `sqlite:${join(folder, 'a.db')}`, name: false, log: 'silent' });
await db.script('create table row (id integer primary key)');

const kinds = {
  write: (id: number) => db.run('insert into row values (?)', [id]),
  batch: (id: number) => db.batch([['insert into row values (?)', [id]]]),
  transaction: (id: number, beforeCommit: () => void) =>
    db.transaction(async (tx) => {
      await tx.run('insert into row values (?)', [id]);
      beforeCommit();
    }),
};
const told: Record<string, string> = {};
let id = 0;

for (const point of POINTS) {
  for (const [kind, send] of Object.entries(kinds)) {
    id += 1;
    // The writer of the round before is dead: the fault is for the next one at its work, not while it opens.
    await db.run('delete from row where id = 0');
    const arm = () => faults.arm(point, 'exit');
    // The last answer of a transaction is that to COMMIT; those before it may come together or one by one.
    const isLast = point === 'reply' && kind === 'transaction';
    if (!isLast) arm();
    const outcome = await send(id, isLast ? arm : () => undefined).then(
      () => 'committed',
      (error: Error & { retryable: boolean }) =>
        `${error.constructor.name}${error.retryable ? ', retryable' : ''}`,
    );
    faults.disarm();
    const isThere = (await db.value('select 1 from row where id = ?', [id])) === 1;
    told[`${kind}, ${point}`] = `${outcome}, ${isThere ? 'there' : 'not there'}`;
  }
}
await db.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ told }));
