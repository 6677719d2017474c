import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, openDatabase as OpenDatabase, TimeoutError } from '../../../../src/index.ts';

/*
 * Statements that would run for minutes, on a reader and on the writer, and what happens to everybody else
 * meanwhile. argv: the front door to load. With the interrupt extension beside it they are stopped; without
 * it they are stopped between two rows, or left alone and waited for no longer.
 */

const door = process.argv[2]!;
const { openDatabase } = (await import(door)) as { openDatabase: typeof OpenDatabase };

/**
 * Two seconds on a fast machine, three times its limit, without giving a row before its end: not even a
 * looked-for cancellation is noticed in it.
 */
const SILENT =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 12e6) select count(*) as n from n';
/** Gives rows all the time, more than fit into memory. */
const ROWS = 'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e9) select i from n';
const LIMIT_MS = 600;

const folder = mkdtempSync(join(tmpdir(), 'millpond-runaway-'));
const db: Database = await openDatabase({
  url: `sqlite:${join(folder, 'a.db')}`,
  name: false,
  log: 'silent',
  // Where nothing stops it, the next one waits for the writer for as long as this machine needs.
  pool: { max: 2, acquireTimeoutMs: 60_000 },
  // Reads on this thread would not notice what the readers do.
  inlineReads: false,
});
await db.script(`create table row (id integer primary key, n int);
  insert into row with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000) select i, i from n`);

interface Told {
  readonly afterMs: number;
  readonly error: string;
  readonly cancellation: string | undefined;
  readonly rollback: string | undefined;
}

async function told(work: Promise<unknown>): Promise<Told> {
  const startedAt = performance.now();
  const error = await work.then(
    () => ({ constructor: { name: 'none' } }),
    (reason: TimeoutError) => reason,
  );
  const { cancellation, rollback } = error as TimeoutError;
  return {
    afterMs: Math.round(performance.now() - startedAt),
    error: error.constructor.name,
    cancellation,
    rollback,
  };
}

/** Point reads and small writes beside `work`, each timed. */
async function beside<T>(
  work: Promise<T>,
): Promise<{ result: T; slowestReadMs: number; reads: number; writes: number }> {
  let [slowestReadMs, reads, writes, isOver] = [0, 0, 0, false];
  const read = async (): Promise<void> => {
    while (!isOver) {
      const startedAt = performance.now();
      const row = await db.get('select n from row where id = ?', [1 + (reads % 2000)]);
      if (row === undefined) throw new Error('a read lost its row');
      slowestReadMs = Math.max(slowestReadMs, performance.now() - startedAt);
      reads += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const write = async (): Promise<void> => {
    while (!isOver) {
      await db.run('update row set n = n + 1 where id = 1', [], { timeoutMs: 10_000 }).catch(() => undefined);
      writes += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const readers = [read(), read(), read()];
  void write();
  const result = await work;
  isOver = true;
  await Promise.all(readers);
  return { result, slowestReadMs: Math.round(slowestReadMs), reads, writes };
}

const options = { timeoutMs: LIMIT_MS };
// What somebody would wait for that waited for one of them.
const begunAt = performance.now();
await db.value(SILENT, [], { timeoutMs: 0 });
const silentMs = Math.round(performance.now() - begunAt);
// Readers start when they are needed, once: how long these take is not measured.
const warmUp = Array.from({ length: 4 }, () => told(db.value(`${SILENT} -- once before`, [], options)));
const first = await beside(Promise.all(warmUp));

const onReader = await beside(
  Promise.all([
    told(db.value(SILENT, [], options)),
    told(db.all(SILENT, [], options)),
    told(db.json(SILENT, [], options)),
  ]),
);
// More of them than there are readers: each has its limit, also while it waits.
const many = await beside(Promise.all(Array.from({ length: 5 }, () => told(db.value(SILENT, [], options)))));
const rows = await told(db.all(ROWS, [], options));
const signal = await told(db.value(SILENT, [], { signal: AbortSignal.timeout(LIMIT_MS) }));
const inReadTransaction = await told(
  db.transaction((tx) => tx.value(SILENT), { readOnly: true, timeoutMs: LIMIT_MS }),
);
const endless = (id: number): string => `insert into row (id, n) select ${id}, n from (${SILENT})`;
const onWriter = await told(db.run(endless(1_000_000), [], options));
const inTransaction = await told(db.transaction((tx) => tx.run(endless(1_000_001)), { timeoutMs: LIMIT_MS }));
/** Its function shrugs the timeout off and wants to commit what else it did. */
const shrugged = await told(
  db.transaction(async (tx) => {
    await tx.run('insert into row (id, n) values (1000002, 0)');
    await tx.run(endless(1_000_003), [], options).catch(() => undefined);
  }),
);
// However it was stopped, the writer is there again, and what timed out is not.
const startedAt = performance.now();
await db.run('insert into row (id, n) values (2000000, 1)');
const writerBackAfterMs = Math.round(performance.now() - startedAt);
const left = await db.all('select id from row where id >= 1000000');

// What many callers share goes back a moment after the last answer.
const deadline = performance.now() + 10_000;
while (db.stats().pool.leased > 0 && performance.now() < deadline)
  await new Promise((resolve) => setTimeout(resolve, 10));
const { leased, waiting } = db.stats().pool;
const { cancellation } = db.stats().sqlite!;
const closing = performance.now();
await db.close();
const closeMs = Math.round(performance.now() - closing);
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify({
    limitMs: LIMIT_MS,
    silentMs,
    cancellation,
    first,
    onReader,
    many,
    rows,
    signal,
    inReadTransaction,
    onWriter,
    inTransaction,
    shrugged,
    writerBackAfterMs,
    left,
    leased,
    waiting,
    closeMs,
  }),
);
