import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
// Before the database: it sees only the threads that are made after.
import { kill, liveWorkers } from '../../../fixtures/live-workers.ts';
import { openDatabase, OutcomeUnknownError } from '../../../../src/index.ts';
import { randomFrom } from '../../../fixtures/scale.ts';
import { POINTS, WorkerFaults, type Action } from '../../../fixtures/worker-faults.ts';

/*
 * Threads die at random points under load, and every outcome is compared with the file.
 * Thousands of them: node --import ./test/fixtures/worker-faults.ts test/fault/workers/scripts/deaths.ts --count 5000
 */

const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
const count = Number(values.count ?? 25);
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const random = randomFrom(seed);

const CALLS = 30;
const HUNG_AFTER_MS = 5_000;
const DEATHS = ['exit', 'uncaught throw', 'unhandled rejection', 'terminate'] as const;

const report = { seed, deaths: {} as Record<string, number>, outcomes: {} as Record<string, number> };
const broken: string[] = [];
let [slowestRecoveryMs, slowestSettleMs] = [0, 0];

const folder = mkdtempSync(join(tmpdir(), 'millpond-deaths-'));
const path = join(folder, 'deaths.db');
const faults = new WorkerFaults();
const db = await openDatabase({ url: `sqlite:${path}`, name: false, log: 'silent', inlineReads: false });
await db.script('create table row (id integer primary key); create table pair (id integer primary key)');
const other = new DatabaseSync(path);
other.exec('pragma busy_timeout = 1000');
let lastId = 0;

/** One call, and what the file must say once its outcome is known. */
interface Attempt {
  readonly kind: string;
  readonly ids: readonly number[];
  readonly done: Promise<unknown>;
}

function attempt(): Attempt {
  const [one, two] = [++lastId, ++lastId];
  const insert = 'insert into row values (?)';
  const kind = pick(['write', 'write', 'batch', 'returning', 'transaction', 'read', 'stream']);
  switch (kind) {
    case 'write':
      return { kind, ids: [one], done: db.run(insert, [one]) };
    case 'batch':
      return {
        kind,
        ids: [one, two],
        done: db.batch([
          [insert, [one]],
          [insert, [two]],
        ]),
      };
    case 'returning':
      return {
        kind,
        ids: [one, two],
        done: db.all('insert into row values (?), (?) returning id', [one, two]),
      };
    case 'transaction':
      return { kind, ids: [one, two], done: inTransaction([one, two]) };
    case 'stream':
      return { kind, ids: [], done: readSlowly() };
    default:
      return { kind, ids: [], done: db.all('select id from row order by id desc limit 50') };
  }
}

function inTransaction(ids: readonly number[]): Promise<void> {
  return db.transaction(async (tx) => {
    for (const id of ids) await tx.run('insert into row values (?)', [id]);
    if (random() < 0.3) await sleep(1);
  });
}

async function readSlowly(): Promise<void> {
  let rows = 0;
  for await (const row of db.stream('select id from row order by id desc limit 600')) {
    if (row !== undefined && ++rows % 200 === 0) await sleep(0);
  }
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

function die(how: (typeof DEATHS)[number]): void {
  if (how !== 'terminate')
    return faults.arm(pick(POINTS), how satisfies Action, { nth: 1 + Math.floor(random() * 12) });
  const victims = liveWorkers(pick(['writer', 'writer', 'reader']));
  if (victims.length > 0) setTimeout(() => kill(pick(victims), 'terminate'), random() * 4);
}

async function settle({ kind, ids, done }: Attempt): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<string>((resolve) => (timer = setTimeout(resolve, HUNG_AFTER_MS, 'hung')));
  const told = done.then(
    () => 'committed',
    (error: Error) => (error instanceof OutcomeUnknownError ? 'unknown' : error.constructor.name),
  );
  const outcome = await Promise.race([told, hung]);
  clearTimeout(timer);
  if (outcome === 'hung') broken.push(`a ${kind} had no answer for ${HUNG_AFTER_MS} ms`);
  report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1;
  const found = ids.filter((id) => isThere.get(id) !== undefined).length;
  if (outcome === 'committed' && found < ids.length) broken.push(`a ${kind} was acknowledged and is lost`);
  if (outcome !== 'committed' && outcome !== 'unknown' && found > 0)
    broken.push(`a ${kind} failed (${outcome}) and is there`);
  if (found > 0 && found < ids.length) broken.push(`a ${kind} is there in part`);
}
const isThere = other.prepare('select 1 from row where id = ?');

/** How long until the next call of each kind succeeds. */
async function recover(): Promise<number> {
  const startedAt = performance.now();
  const works = async (): Promise<void> => {
    await db.run('insert into pair values (null)');
    await db.value('select count(*) from pair where id < 10');
    await db.transaction((tx) => tx.run('insert into pair values (null)'));
  };
  for (;;) {
    try {
      await works();
      return performance.now() - startedAt;
    } catch (error) {
      if (performance.now() - startedAt > HUNG_AFTER_MS) throw error;
      await sleep(5);
    }
  }
}

function lockIsFree(): boolean {
  try {
    other.exec('begin immediate; rollback');
    return true;
  } catch {
    return false;
  }
}

for (let round = 0; round < count; round += 1) {
  const how = pick(DEATHS);
  const before = liveWorkers();
  const startedAt = performance.now();
  die(how);
  await Promise.all(Array.from({ length: CALLS }, () => settle(attempt())));
  slowestSettleMs = Math.max(slowestSettleMs, performance.now() - startedAt);
  faults.disarm();
  await sleep(1);
  const died = before.filter((worker) => !liveWorkers().includes(worker)).length;
  report.deaths[how] = (report.deaths[how] ?? 0) + died;
  slowestRecoveryMs = Math.max(slowestRecoveryMs, await recover());
  if (!lockIsFree()) broken.push(`the lock of a thread that died (${how}) was not freed within a second`);
}

// What many callers share goes back a moment after the last answer.
const deadline = performance.now() + HUNG_AFTER_MS;
while (db.stats().pool.leased > 0 && performance.now() < deadline) await sleep(2);
const { pool, transactions } = db.stats();
const { active, started, committed, rolledBack, unknown } = transactions;
if (pool.leased > 0 || pool.waiting > 0 || active > 0)
  broken.push(`at the end: ${JSON.stringify({ pool, active })}`);
if (started !== committed + rolledBack + unknown) broken.push(`counters: ${JSON.stringify(transactions)}`);
await db.close();
if (liveWorkers().length > 0) broken.push('a thread is left after close');
const integrity = other.prepare('pragma integrity_check').get();
if (integrity?.['integrity_check'] !== 'ok') broken.push(`integrity: ${JSON.stringify(integrity)}`);
other.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ ...report, slowestSettleMs, slowestRecoveryMs, broken }));
