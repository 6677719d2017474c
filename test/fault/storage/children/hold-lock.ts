/**
 * Another program on the same file, without millpond: holds a transaction for a while. Arguments: the file,
 * `immediate`, `exclusive`, `whole` or `read`, and for how many ms, unless it is told to end before.
 */
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from './tell.ts';

const [path, mode, forMs] = process.argv.slice(2) as [string, string, string];
const database = new DatabaseSync(path, { timeout: 5_000 });
// In this mode a WAL database is nobody else's, readers included, until it is closed.
if (mode === 'whole') database.exec('pragma locking_mode = exclusive');
database.exec(mode === 'read' ? 'begin' : `begin ${mode === 'whole' ? 'immediate' : mode}`);
database.prepare('select count(*) from rows').get();
if (mode !== 'read') database.exec("insert into rows (payload) values ('of the other program')");
const told = once(process, 'SIGUSR2');
tell('held');
await Promise.race([sleep(Number(forMs)), told]);
database.exec('commit');
database.close();
tell('released');
process.exit();
