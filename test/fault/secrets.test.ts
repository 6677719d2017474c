import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database, EventName, Logger } from '../../src/index.ts';
import { kill, liveWorkers } from '../fixtures/live-workers.ts';
import { expectAtRest, openScratch, outcomes, type ScratchOptions } from '../fixtures/scratch-database.ts';

/** A bound value that must appear nowhere but in the database. */
const CANARY = 'canary-4f9c1d';
const SCHEMA = `create table account (id integer primary key, token text unique not null, check (token <> 'short'));
  create table child (id integer primary key, parent int not null references account (id));
  create virtual table page using fts5 (body)`;
const ENDLESS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e10) select count(*), ? from n';
const EVENTS: EventName[] = [
  'connection:open',
  'connection:close',
  'connection:error',
  'pool:exhausted',
  'pool:leak',
  'query:end',
  'query:slow',
  'query:error',
  'transaction:start',
  'transaction:commit',
  'transaction:rollback',
];

/** Ways for a call with a secret value to go well or wrong. */
const CALLS: Record<string, (db: Database) => Promise<unknown>> = {
  write: (db) => db.run('insert into account (token) values (?)', [CANARY]),
  'broken constraint': (db) => db.run('insert into account (token) values (?)', [CANARY]),
  'broken batch': (db) => db.batch([['insert into account (token) values (?)', [CANARY]]]),
  'unknown table': (db) => db.run('insert into nowhere values (?)', [CANARY]),
  'wrong count of values': (db) => db.all('select ? as a, ? as b', [CANARY]),
  'value that cannot be bound': (db) => db.all('select ? as a', [{ token: CANARY }]),
  'JSON path': (db) => db.value("select json_extract('{}', ?)", [CANARY]),
  'JSON path in a worker': (db) => db.json("select json_extract('{}', ?) as a", [CANARY]),
  'search text': (db) => db.all('select * from page where page match ?', [`"${CANARY}" : x`]),
  'named value': (db) => db.all('select * from nowhere where token = :token', { token: CANARY }),
  timeout: (db) => db.value(ENDLESS, [CANARY], { timeoutMs: 30 }),
  transaction: (db) =>
    db.transaction(async (tx) => {
      await tx.run('insert into account (token) values (?)', [`${CANARY}-2`]);
      await tx.run('insert into child (parent) values (?)', [-1]);
    }),
  'forgotten call': (db) =>
    db.transaction(async (tx) => {
      tx.run('insert into account (token) values (?)', [`${CANARY}-3`]).catch(() => undefined);
    }),
  stream: (db) => db.stream('select * from nowhere where token = ?', [CANARY]).next(),
  'dead thread': async (db) => {
    const read = db.value(ENDLESS, [CANARY], { timeoutMs: 2_000 });
    await sleep(10);
    for (const worker of liveWorkers('reader')) kill(worker, 'uncaught throw');
    for (const worker of liveWorkers('reader')) kill(worker, 'terminate');
    return read;
  },
};

interface Heard {
  readonly told: string;
  readonly events: string[];
  readonly lines: string[];
}

/** Everything that was said while the calls were made: to callers, to listeners, to the log, in the statistics. */
async function hear(options: ScratchOptions): Promise<Heard> {
  const lines: string[] = [];
  const write = (...given: unknown[]): void => void lines.push(everything(given));
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  const { db } = await openScratch(SCHEMA, { slowQueryMs: 1, pool: { max: 2 }, ...options, log });
  const events: string[] = [];
  const note = (event: unknown): void => void events.push(everything(event));
  for (const name of EVENTS) {
    db.on(name, note);
    subscribe(`millpond:${name}`, note);
    onTestFinished(() => void unsubscribe(`millpond:${name}`, note));
  }
  const told: unknown[] = [];
  for (const call of Object.values(CALLS)) told.push(...(await outcomes([call(db)])));
  await expect.poll(() => hasReader(db)).toBe(true);
  const errors = told.filter((one) => one instanceof Error);
  expect(errors.length).toBeGreaterThan(10);
  await expectAtRest(db);
  const state = [errors, db.stats(), db.leases(), await db.health()];
  return { told: state.map(everything).join('\n'), events, lines };
}

/** Whoever comes to a thread that is ending is told that it was lost. */
async function hasReader(db: Database): Promise<boolean> {
  const read = async (): Promise<void> => {
    await using lease = await db.acquire();
    await lease.connection.value('select 1');
  };
  const lost = (await outcomes<unknown>([read(), db.json('select 1 as n')])).filter(
    (one) => one instanceof Error,
  );
  return lost.length === 0 && liveWorkers('reader').length > 0;
}

/** As a log, a crash or a debugger would show it: causes, stacks and hidden fields included. */
function everything(value: unknown): string {
  return inspect(value, { depth: 12, showHidden: true, maxArrayLength: null, maxStringLength: null });
}

describe('bound values', () => {
  test('enter no error, no event, no log line and no statistics (C71, B18)', async () => {
    const { told, events, lines } = await hear({});
    expect(told).not.toContain(CANARY);
    expect(events.filter((event) => event.includes(CANARY))).toEqual([]);
    expect(lines.filter((line) => line.includes(CANARY))).toEqual([]);
    // The statements themselves do, or there would be nothing to look for.
    expect(events.some((event) => event.includes('insert into account'))).toBe(true);
    expect(lines.some((line) => line.includes('insert into account'))).toBe(true);
  });

  test('are shown in events and log lines where exposeParams asks for it (C71)', async () => {
    const { events, lines } = await hear({ exposeParams: true });
    expect(events.some((event) => event.includes(CANARY))).toBe(true);
    expect(lines.some((line) => line.includes(CANARY))).toBe(true);
  });
});
