/**
 * Opens each of the files in its arguments, reads and writes, and tells as JSON how it went, a line for each.
 */
import { MillpondError, openDatabase, type Database } from '../../../../src/index.ts';
import { difference, readFiles } from '../base.ts';
import { tell } from './tell.ts';

const READS = [
  'select count(*) from sqlite_schema',
  'select * from rows order by id',
  'select id from rows where number between 5 and 60 order by number',
  'select max(id), min(number) from rows',
  "select integrity_check from pragma_integrity_check where integrity_check <> 'ok'",
];
const WRITES = [
  "insert into rows (number, text) values (7, 'a new row')",
  'update rows set number = number + 1 where id % 3 = 0',
  'delete from rows where id % 5 = 0',
];

for (const file of process.argv.slice(2)) {
  const before = readFiles(file);
  const problems: string[] = [];
  const ending = await visit(file, problems);
  tell(JSON.stringify({ file, ending, changed: difference(before, readFiles(file)), problems }));
}

async function visit(file: string, problems: string[]): Promise<'refused' | 'stopped' | 'served'> {
  let db: Database;
  try {
    db = await openDatabase(`sqlite:${file}`, { log: 'silent', name: false });
  } catch (error) {
    noteError('open', error, problems);
    return 'refused';
  }
  const ending = await use(db, problems);
  // No other process has the file open, so it does no harm that this drops its locks.
  const found = readFiles(file);
  await db.close();
  const changed = difference(found, readFiles(file)).filter((name) => name !== '-shm');
  if (ending === 'stopped' && changed.length > 0) problems.push(`closing has changed: ${changed.join(', ')}`);
  return ending;
}

async function use(db: Database, problems: string[]): Promise<'stopped' | 'served'> {
  for (const sql of [...READS, ...WRITES, ...READS]) {
    const isDamage = await attempt(sql, () => db.all(sql), problems);
    if (!isDamage) continue;
    await expectStopped(db, problems);
    return 'stopped';
  }
  return 'served';
}

/** @returns whether SQLite has found the file damaged */
async function attempt(sql: string, work: () => Promise<unknown>, problems: string[]): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    noteError(sql, error, problems);
    return (error as { code?: string }).code === 'ERR_MILLPOND_CORRUPT';
  }
}

async function expectStopped(db: Database, problems: string[]): Promise<void> {
  for (const write of [() => db.run(WRITES[0]!), () => db.transaction((tx) => tx.run(WRITES[0]!))]) {
    const error = await write().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const code = (error as { code?: string } | undefined)?.code;
    if (code !== 'ERR_MILLPOND_CORRUPT')
      problems.push(`a write after the damage was found ended with ${String(code)}`);
  }
  const { status } = await db.health();
  if (status !== 'down') problems.push(`health is ${status}`);
}

function noteError(what: string, error: unknown, problems: string[]): void {
  if (!(error instanceof MillpondError))
    problems.push(`${what}: not one of millpond's errors: ${String(error)}`);
}
