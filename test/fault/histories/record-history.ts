import { setTimeout as sleep } from 'node:timers/promises';
import {
  openDatabase,
  OutcomeUnknownError,
  type Database,
  type DatabaseOptions,
  type Queryable,
} from '../../../src/index.ts';
import { kill, liveWorkers } from '../../fixtures/live-workers.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { between } from '../storage/random.ts';
import { Scratch } from '../storage/scratch.ts';
import type { Entry, Lists, Step } from './history.ts';

const LISTS = 4;
const CALLERS = 10;
const APPEND = 'insert into entry (list, value) values (?, ?)';
const READ = 'select value from entry where list = ? order by place';

export interface Plan {
  readonly transactions: number;
  readonly seed: number;
  /** About how many threads die on the way. */
  readonly deaths: number;
  readonly options?: DatabaseOptions;
}

/** Runs random transactions, single statements and batches from many callers, and notes what each was told. */
export async function recordHistory(plan: Plan): Promise<{ entries: Entry[]; lists: Lists }> {
  const random = randomFrom(plan.seed);
  using scratch = new Scratch();
  await using db = await openDatabase(`sqlite:${scratch.file('app.db')}`, {
    log: 'silent',
    name: false,
    ...plan.options,
  });
  await db.script('create table entry (place integer primary key autoincrement, list int, value int unique)');
  const entries: Entry[] = [];
  const state = { left: plan.transactions, lastValue: 0 };
  const call = async (): Promise<void> => {
    while (state.left > 0) {
      state.left -= 1;
      entries.push(await makeEntry(db, random, () => (state.lastValue += 1)));
      if (random() < plan.deaths / plan.transactions) killOne(random);
      if (random() < 0.05) await sleep(1);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  return { entries, lists: await readLists(db) };
}

async function makeEntry(db: Database, random: () => number, nextValue: () => number): Promise<Entry> {
  const wanted = Array.from({ length: between(random, 1, 4) }, (): Step => {
    const list = between(random, 1, LISTS);
    return random() < 0.5 ? { kind: 'append', list, value: nextValue() } : { kind: 'read', list, seen: [] };
  });
  const beganAt = performance.now();
  const steps: Step[] = [];
  try {
    steps.push(...(await perform(db, wanted)));
    return { steps, beganAt, endedAt: performance.now(), told: 'committed' };
  } catch (error) {
    const told = error instanceof OutcomeUnknownError ? 'unknown' : 'refused';
    return { steps: wanted, beganAt, endedAt: performance.now(), told };
  }
}

/** As one statement, as a batch or as a transaction of the least kind that can do it. */
async function perform(db: Database, wanted: readonly Step[]): Promise<Step[]> {
  const appends = wanted.flatMap((step) => (step.kind === 'append' ? step : []));
  if (wanted.length === 1) return [await performStep(db, wanted[0]!)];
  if (appends.length === wanted.length) {
    await db.batch(appends.map(({ list, value }) => [APPEND, [list, value]] as const));
    return appends;
  }
  return db.transaction(
    async (tx) => {
      const done: Step[] = [];
      for (const step of wanted) done.push(await performStep(tx, step));
      return done;
    },
    { readOnly: appends.length === 0 },
  );
}

async function performStep(on: Queryable, step: Step): Promise<Step> {
  if (step.kind === 'append') {
    await on.run(APPEND, [step.list, step.value]);
    return step;
  }
  const rows = await on.all<{ value: number }>(READ, [step.list]);
  return { ...step, seen: rows.map(({ value }) => value) };
}

async function readLists(db: Database): Promise<Lists> {
  const lists = new Map<number, number[]>();
  const rows = await db.all<{ list: number; value: number }>('select list, value from entry order by place');
  for (const { list, value } of rows) lists.set(list, [...(lists.get(list) ?? []), value]);
  return lists;
}

function killOne(random: () => number): void {
  const workers = liveWorkers(random() < 0.7 ? 'writer' : 'reader');
  const victim = workers[between(random, 0, Math.max(0, workers.length - 1))];
  if (victim !== undefined) kill(victim, random() < 0.5 ? 'terminate' : 'uncaught throw');
}
