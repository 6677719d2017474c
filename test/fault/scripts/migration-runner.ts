/**
 * A process that migrates a database, and kills or stops itself on the way. Arguments: the URL, the folder, how long
 * to wait for the lock, and what to do: `run`, `kill 7` (at the 7th step of all), `stop-inside` (a transaction),
 * `stop-between` (two of them).
 */
import { openDatabase } from '../../../src/index.ts';
import { migrate, MigrationError } from '../../../src/migrate/index.ts';

const [url, folder, lockTimeoutMs, what, at] = process.argv.slice(2);
await using db = await openDatabase({
  url: url!,
  // One thread starts sooner than five.
  pooled: !url!.startsWith('sqlite:'),
  name: false,
  log: 'silent',
  healthCheck: { enabled: false },
});

let steps = 0;
const onProgress = (): void => {
  steps += 1;
  if (what === 'kill' && steps === Number(at)) process.kill(process.pid, 'SIGKILL');
  if (what === 'stop-inside' && steps === 3) stop();
};
if (what === 'stop-between')
  db.on('migration:end', ({ migration }) => migration.startsWith('0001_') && stop());

function stop(): void {
  console.log(JSON.stringify({ stopped: true }));
  process.kill(process.pid, 'SIGSTOP');
}

const startedAt = performance.now();
try {
  const { done } = await migrate(db, { folder: folder!, lockTimeoutMs: Number(lockTimeoutMs), onProgress });
  console.log(JSON.stringify({ done: done.map(({ name }) => name) }));
} catch (error) {
  if (!(error instanceof MigrationError)) throw error;
  console.log(JSON.stringify({ kind: error.kind, tookMs: performance.now() - startedAt }));
}
