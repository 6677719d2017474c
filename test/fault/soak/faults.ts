import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../src/index.ts';
import { kill, liveWorkers } from '../../fixtures/live-workers.ts';
import { between } from '../storage/random.ts';

export interface Patient {
  readonly db: Database;
  readonly path: string;
  readonly random: () => number;
}

/** Counts for minutes if nobody stops it. */
const ENDLESS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e10) select count(*) from n';
const ROWS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000) select i from n';

/** What goes wrong now and then. Each comes to its own end; what the database says to it is part of it. */
export const FAULTS: Readonly<Record<string, (patient: Patient) => Promise<unknown>>> = {
  'the writer dies': async ({ random }) => killOne('writer', random),
  'a reader dies': async ({ random }) => killOne('reader', random),
  'a read never ends': ({ db, random }) => db.value(ENDLESS, [], { timeoutMs: between(random, 20, 300) }),
  'a write never ends': ({ db, random }) =>
    db.run(`insert into noise select * from (${ENDLESS})`, [], { timeoutMs: between(random, 20, 300) }),
  'a caller goes away': ({ db, random }) =>
    db.transaction(
      async (tx) => {
        await tx.run('insert into noise values (1)');
        await sleep(200);
      },
      { signal: AbortSignal.timeout(between(random, 1, 50)) },
    ),
  'a transaction is forgotten': async ({ db }) => {
    const tx = await db.begin();
    await tx.run('insert into noise values (2)');
  },
  'a stream is forgotten': ({ db }) => db.stream(ROWS).next(),
  'a stream is left early': async ({ db }) => {
    for await (const row of db.stream<{ i: number }>(ROWS)) if (row.i > 300) return;
  },
  'a lease is held': async ({ db, random }) => {
    await using lease = await db.acquire();
    await lease.connection.value('select count(*) from noise');
    await sleep(between(random, 1, 200));
  },
  'another program has the lock': async ({ path, random }) => {
    const other = new DatabaseSync(path);
    try {
      other.exec('begin immediate; insert into noise values (3)');
      await sleep(between(random, 10, 400));
      other.exec('commit');
    } finally {
      other.close();
    }
  },
  'the event loop stands still': async ({ random }) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, between(random, 50, 400));
  },
  'the schema changes': async ({ db }) => {
    await db.script(
      'create table if not exists passing (a); alter table passing add column b; drop table passing',
    );
  },
  'a copy is made': ({ db, path }) => db.backup(`${path}.copy`),
};

async function killOne(role: 'writer' | 'reader', random: () => number): Promise<void> {
  const workers = liveWorkers(role);
  if (workers.length === 0) return;
  kill(workers[between(random, 0, workers.length - 1)]!, random() < 0.5 ? 'terminate' : 'uncaught throw');
}
