/**
 * Writes while the disk does not answer, and tells what each caller was told; then the disk answers again.
 * Arguments: the file, and `closes` where the database is closed before the disk answers.
 */
import { MillpondError, openDatabase } from '../../../../src/index.ts';
import { arm, readShim } from '../io-shim.ts';
import { tell } from './tell.ts';

const [path, fate] = process.argv.slice(2) as [string, string];
/** Long enough for a COMMIT to begin on a busy machine. */
const BEGINS = { timeoutMs: 2_000 };
const WAITS = { timeoutMs: 300 };
const INSERT = 'insert into kept (who) values (?)';

const db = await openDatabase({
  url: `sqlite:${path}`,
  log: 'silent',
  cancelGraceMs: 200,
  pool: { acquireTimeoutMs: 500 },
});
await db.script('create table kept (who text not null)');

arm();
const first = told('first', db.run(INSERT, ['first'], BEGINS));
// One message holds what one turn asked for, and one COMMIT.
const beside = told('beside', db.run(INSERT, ['beside'], BEGINS));
while (readShim(path).hits === 0) await new Promise((resolve) => setTimeout(resolve, 5));
const writes = [
  told('behind', db.run(INSERT, ['behind'], WAITS)),
  told(
    'transaction',
    db.transaction((tx) => tx.run(INSERT, ['transaction'])),
  ),
];
await told('read', db.value('select count(*) from kept'));
await Promise.all([first, beside, ...writes]);
await told('later', db.run(INSERT, ['later'], WAITS));
await told('read later', db.value('select count(*) from kept'));
if (fate === 'closes') {
  await told('closed', db.close({ timeoutMs: 100 }));
  arm(false);
} else {
  arm(false);
  await told('healed', db.run(INSERT, ['healed']));
  await told(
    'healed transaction',
    db.transaction((tx) => tx.run(INSERT, ['healed too'])),
  );
  const held = db.transaction(
    async (tx) => {
      await tx.run(INSERT, ['held']);
      arm();
    },
    { timeoutMs: 1_000 },
  );
  await told('held transaction', held);
  arm(false);
  await told('closed', db.close());
}

async function told(what: string, work: Promise<unknown>): Promise<void> {
  const [how, details] = await work.then(
    () => ['done', ''],
    (error: unknown) => [
      error instanceof MillpondError ? error.code : String(error),
      error instanceof Error && 'rollback' in error ? String(error.rollback) : '',
    ],
  );
  tell(`${what}: ${how} ${details}`.trim());
}
