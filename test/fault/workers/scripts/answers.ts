import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, type Database } from '../../../../src/index.ts';
import { WorkerFaults } from '../../../fixtures/worker-faults.ts';

/*
 * When the members of a group are answered. At the very moment of each answer a second connection looks whether it can
 * see the row. Run with --import test/fixtures/worker-faults.ts
 */

const WRITES = 60;
const COMMIT_TAKES_MS = 400;
const SQLITE_FULL = 13;
const SQLITE_IOERR_FSYNC = 1034;

/** What the callers of one burst were told, and what was true then. */
interface Tally {
  /** Outcomes, each with whether the row was visible: `committed, visible`. */
  readonly told: Record<string, number>;
  readonly firstAfterMs: number;
}

const folder = mkdtempSync(join(tmpdir(), 'millpond-answers-'));
const path = join(folder, 'answers.db');
const faults = new WorkerFaults();
const db = await openDatabase({ url: `sqlite:${path}`, name: false, log: 'silent' });
await db.script('create table row (id integer primary key, kind text unique)');
const other = new DatabaseSync(path, { readOnly: true });
const isThere = other.prepare('select 1 from row where id = ?');

function send(database: Database, id: number): Promise<unknown> {
  if (id % 20 === 0) return database.script(`insert into row (id) values (${id})`);
  if (id % 4 === 1)
    return database.batch([['insert into row (id) values (?)', [id]], 'delete from row where id = -1']);
  if (id % 4 === 2) return database.all('insert into row (id) values (?) returning id', [id]);
  return database.run('insert into row (id) values (?)', [id]);
}

/** Writes that are made at once. */
async function burst(from: number): Promise<Tally> {
  const startedAt = performance.now();
  const told: Record<string, number> = {};
  let firstAfterMs = Infinity;
  const look = (id: number, outcome: string): void => {
    firstAfterMs = Math.min(firstAfterMs, Math.floor(performance.now() - startedAt));
    const key = `${outcome}, ${isThere.get(id) === undefined ? 'hidden' : 'visible'}`;
    told[key] = (told[key] ?? 0) + 1;
  };
  const ids = Array.from({ length: WRITES }, (_, index) => from + index);
  const calls = ids.map((id) =>
    send(db, id).then(
      () => look(id, 'committed'),
      (error: Error) => look(id, error.constructor.name),
    ),
  );
  await Promise.all(calls);
  return { told, firstAfterMs };
}

faults.arm('before commit', 'wait', { argument: COMMIT_TAKES_MS });
const delayed = await burst(1);

faults.arm('before commit', 'fail', { argument: SQLITE_FULL });
const refused = await burst(1_001);

const locker = new DatabaseSync(path);
locker.exec('begin immediate');
const locked = burst(2_001);
await sleep(COMMIT_TAKES_MS);
locker.exec('rollback');
const waited = await locked;

faults.arm('after commit', 'fail', { argument: SQLITE_IOERR_FSYNC });
const doubtful = await burst(3_001);
const after = await db.run("insert into row (kind) values ('after')").then(() => 'committed', String);

for (const connection of [other, locker]) connection.close();
await db.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ commitTakesMs: COMMIT_TAKES_MS, delayed, refused, waited, doubtful, after }));
