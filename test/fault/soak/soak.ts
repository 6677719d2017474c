import { readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { openDatabase, type Database } from '../../../src/index.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { Findings, type Outcome } from '../storage/experiment.ts';
import { Ledger } from '../storage/ledger.ts';
import { KINDS, perform, readContent, SCHEMA } from '../storage/parts.ts';
import { between } from '../storage/random.ts';
import { Scratch } from '../storage/scratch.ts';
import { FAULTS, type Patient } from './faults.ts';
import { growth, type Sample } from './slopes.ts';

export interface SoakPlan {
  readonly minutes: number;
  readonly seed: number;
}

const CALLERS = 12;
const READERS = 4;
/** Between two looks at everything, with the load at rest. */
const ROUND_MS = 4_000;
const MOST_BETWEEN_FAULTS_MS = 250;
const AT_REST_WITHIN_MS = 20_000;
const OPTIONS = {
  log: 'silent',
  name: false,
  idleInTransactionTimeoutMs: 300,
  transactionTimeoutMs: 2_000,
  pool: { createTimeoutMs: 60_000 },
  sqlite: { walCheckpointBytes: 262_144 },
} as const;

/**
 * C75: reads and writes of all kinds for a long time, while something goes wrong every moment. After each
 * round, at rest: no write that was told to be committed is missing, doubled or there in part, none that was
 * refused is there; nothing is leased, nobody waits, no transaction is open; and memory, handles and the log
 * are what they were rounds ago.
 */
export async function soak({ minutes, seed }: SoakPlan): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  using scratch = new Scratch();
  const path = scratch.file('app.db');
  const db = await openDatabase(`sqlite:${path}`, OPTIONS);
  await db.script(`${SCHEMA}; create table noise (a)`);
  const samples: Sample[] = [];
  const endAt = performance.now() + minutes * 60_000;
  for (let round = 0; round === 0 || performance.now() < endAt; round += 1) {
    await runRound({ db, path, random }, round, findings);
    samples.push(takeSample(db));
    findings.add('rounds');
  }
  await db.close();
  if (liveWorkers().length > 0) findings.break(`${liveWorkers().length} threads are left after close`);
  judgeSlopes(samples, findings);
  return findings.outcome();
}

async function runRound(patient: Patient, round: number, findings: Findings): Promise<void> {
  const { db, path, random } = patient;
  const ledger = new Ledger();
  const untilMs = performance.now() + ROUND_MS;
  const isOver = () => performance.now() >= untilMs;
  const writers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let turn = 0; !isOver(); turn += 1) {
      const op = `${round}.${caller}.${turn}`;
      ledger.note(op, await perform(db, op, KINDS[between(random, 0, KINDS.length - 1)]!, 200));
    }
  });
  const readers = Array.from({ length: READERS }, () => readOn(db, random, isOver, findings));
  await Promise.all([...writers, ...readers, harm(patient, isOver, findings)]);
  await expectRest(db, `round ${round}`, findings);
  const file = new DatabaseSync(path, { readOnly: true });
  try {
    ledger.check(`round ${round}`, readContent(file), findings);
  } finally {
    file.close();
  }
  ledger.report(findings);
  await db.script('delete from parts; delete from noise');
}

/** One fault after another, some of them together. */
async function harm(patient: Patient, isOver: () => boolean, findings: Findings): Promise<void> {
  const names = Object.keys(FAULTS);
  const underWay: Promise<unknown>[] = [];
  while (!isOver()) {
    const name = names[between(patient.random, 0, names.length - 1)]!;
    findings.add(name);
    underWay.push(FAULTS[name]!(patient).catch(() => undefined));
    await sleep(between(patient.random, 0, MOST_BETWEEN_FAULTS_MS));
  }
  await Promise.all(underWay);
}

/** Reads see whole operations only, whatever else goes on. */
async function readOn(
  db: Database,
  random: () => number,
  isOver: () => boolean,
  findings: Findings,
): Promise<void> {
  const torn = 'select count(*) from (select 1 from parts group by op having count(*) <> max(parts))';
  const read = [
    () => db.value<number>(torn),
    () => db.transaction((tx) => tx.value<number>(torn), { readOnly: true }),
    () => db.get('select op from parts limit 1').then(() => 0),
    () => db.json('select op, part from parts limit 200').then(() => 0),
  ];
  while (!isOver()) {
    const seen = await read[between(random, 0, read.length - 1)]!().catch(() => undefined);
    findings.add(seen === undefined ? 'readsRefused' : 'reads');
    if (seen !== undefined && seen > 0) findings.break(`a read saw ${seen} operations in part`);
    await sleep(1);
  }
}

/** What was forgotten ends at its limit; then nothing is out, and the next call of each kind succeeds. */
async function expectRest(db: Database, when: string, findings: Findings): Promise<void> {
  const underWay = () => {
    const { pool, transactions } = db.stats();
    return pool.leased + pool.waiting + transactions.active;
  };
  const endAt = performance.now() + AT_REST_WITHIN_MS;
  while (underWay() > 0 && performance.now() < endAt) await sleep(5);
  if (underWay() > 0)
    findings.break(`${when}: ${JSON.stringify({ ...db.stats().pool, leases: db.leases() })}`);
  const { started, committed, rolledBack, unknown } = db.stats().transactions;
  if (started !== committed + rolledBack + unknown)
    findings.break(`${when}: the counters of transactions do not add up`);
  const { status } = await db.health();
  if (status !== 'up') findings.break(`${when}: health is ${status}`);
}

function takeSample(db: Database): Sample {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return {
    memoryMiB: process.memoryUsage.rss() / 1_024 ** 2,
    handles: process.getActiveResourcesInfo().length,
    // Elsewhere than on Linux nobody counts them.
    files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
    logMiB: Number(db.stats().sqlite!['walBytes']) / 1_024 ** 2,
  };
}

function judgeSlopes(samples: readonly Sample[], findings: Findings): void {
  for (const [what, { before, after, isGrowth }] of Object.entries(growth(samples))) {
    findings.add(`${what} early`, before);
    findings.add(`${what} late`, after);
    if (isGrowth) findings.break(`${what} has grown from ${before} to ${after}`);
  }
}
