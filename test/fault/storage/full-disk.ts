import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, type Database } from '../../../src/index.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { Ledger } from './ledger.ts';
import { KINDS, perform, readContent, SCHEMA } from './parts.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { between } from './random.ts';
import { SmallDisk } from './small-disk.ts';

const CALLERS = 32;
/** Enough for what is there after a fill, once in the database and once in its log. */
const MEGABYTES = 32;
/** Refusals after which there is space again. */
const REFUSALS = 60;
const LIMIT_MS = 10_000;
/** Most operations are small; some are so large that they fail while small ones beside them still fit. */
const SMALL_BYTES = 200;
const LARGE_BYTES = 12_000;

/**
 * C06: fills the disk while many callers write, then frees it, again and again under one open database. Who
 * is refused has written nothing, who is not has; reads go on; and without a restart writing goes on when
 * there is space.
 */
export async function fillDisk({ count, seed }: Extent): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  using disk = new SmallDisk(MEGABYTES);
  const path = join(disk.path, 'app.db');
  await using db = await openDatabase(`sqlite:${path}`, {
    log: 'silent',
    name: false,
    sqlite: { walCheckpointBytes: 262_144 },
  });
  await db.script(SCHEMA);
  for (let fill = 0; fill < count; fill += 1) {
    const ledger = new Ledger();
    await fillOnce(db, disk, { fill, spareBytes: between(random, 0, 600_000), ledger, findings });
    check(`fill ${fill}`, path, ledger, findings);
    findings.add('fills');
    await db.run('delete from parts');
  }
  const { status } = await db.health();
  if (status !== 'up') findings.break(`health is ${status} after the last fill`);
  // What callers shared goes back a moment after the last answer.
  await sleep(50);
  const { pool, transactions } = db.stats();
  if (pool.leased + pool.waiting + transactions.active > 0) findings.break('something is still under way');
  return findings.outcome();
}

async function fillOnce(
  db: Database,
  disk: SmallDisk,
  {
    fill,
    spareBytes,
    ledger,
    findings,
  }: { fill: number; spareBytes: number; ledger: Ledger; findings: Findings },
): Promise<void> {
  const state = { freedAt: Infinity, isOver: false };
  disk.fill(spareBytes);
  const callers = Array.from({ length: CALLERS }, (_, caller) =>
    writeUntil(db, `${fill}.${caller}`, state, ledger),
  );
  const endAt = performance.now() + LIMIT_MS;
  while (ledger.count('refused') < REFUSALS && performance.now() < endAt) await sleep(2);
  if ((await db.value('select count(*) from sqlite_schema')) !== 1)
    findings.break(`fill ${fill}: a read fails`);
  disk.free();
  state.freedAt = performance.now();
  const recovered = await Promise.race([Promise.all(callers), sleep(LIMIT_MS, undefined, { ref: false })]);
  state.isOver = true;
  await Promise.all(callers);
  if (recovered === undefined)
    findings.break(`fill ${fill}: writing has not gone on ${LIMIT_MS} ms after it was freed`);
  findings.most('slowestRecoveryMs', Math.round(performance.now() - state.freedAt));
}

/** Writes until one operation that was begun after the disk was freed is committed. */
async function writeUntil(
  db: Database,
  name: string,
  state: { readonly freedAt: number; readonly isOver: boolean },
  ledger: Ledger,
): Promise<void> {
  for (let turn = 0; !state.isOver; turn += 1) {
    const beganAt = performance.now();
    const op = `${name}.${turn}`;
    const bytes = turn % 5 === 4 ? LARGE_BYTES : SMALL_BYTES;
    const answer = await perform(db, op, KINDS[turn % KINDS.length]!, bytes);
    ledger.note(op, answer);
    if (answer.told === 'committed' && beganAt > state.freedAt) return;
    if (answer.told !== 'committed') await sleep(2);
  }
}

function check(when: string, path: string, ledger: Ledger, findings: Findings): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    ledger.check(when, readContent(database), findings);
  } finally {
    database.close();
  }
  ledger.report(findings);
  if (ledger.count('refused') < REFUSALS) findings.add('fillsWithoutEnoughRefusals');
}
