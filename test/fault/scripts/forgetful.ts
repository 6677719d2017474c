import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../src/index.ts';
import { kill, liveWorkers } from '../../fixtures/live-workers.ts';

/*
 * Programs that end without a word to the database. argv: the path of the database, and which program.
 * What each prints last is what it was told before the process ended.
 */

const [path, program] = process.argv.slice(2);
const db = await openDatabase({
  url: `sqlite:${path!}`,
  name: false,
  log: 'silent',
  healthCheck: { intervalMs: 1_000 },
  pool: { acquireTimeoutMs: 1_500 },
});
await db.script('create table if not exists row (id integer primary key, note text)');
const say = (told: unknown): void =>
  console.log(JSON.stringify({ told: told instanceof Error ? told.name : told }));

const PROGRAMS: Record<string, () => unknown> = {
  'reads and writes': async () => {
    await db.run("insert into row values (1, 'kept')");
    await db.transaction((tx) => tx.run("insert into row values (2, 'kept')"));
    await db.all('select * from row');
    for await (const row of db.stream('select * from row')) say(row['id']);
  },
  'does not wait for its last write': () => {
    db.run("insert into row values (1, 'kept')").then(() => say('committed'), say);
  },
  'does not wait for its last transaction': () => {
    const work = db.transaction(async (tx) => {
      await tx.run("insert into row values (1, 'kept')");
      await tx.run("insert into row values (2, 'kept')");
    });
    work.then(() => say('committed'), say);
  },
  'forgets a transaction, a lease and a stream': async () => {
    const tx = await db.begin();
    await tx.run("insert into row values (1, 'forgotten')");
    await db.acquire();
    await db.stream('select 1 as one').next();
    say('forgotten');
  },
  'waits for a writer that has to be opened again': async () => {
    for (const worker of liveWorkers('writer')) kill(worker, 'terminate');
    while (liveWorkers('writer').length > 0) await sleep(1);
    db.run("insert into row values (1, 'kept')").then(() => say('committed'), say);
  },
  'waits for a writer that nobody gives back': async () => {
    await db.begin();
    db.run("insert into row values (1, 'late')", [], { timeoutMs: 300 }).then(() => say('committed'), say);
  },
  'waits to try its transaction again': () => {
    let attempts = 0;
    const work = db.transaction(
      (tx) => {
        attempts += 1;
        if (attempts < 3) throw Object.assign(new Error('try again'), { retryable: true });
        return tx.run("insert into row values (1, 'kept')");
      },
      { retry: { attempts: 3, minDelayMs: 200 } },
    );
    work.then(() => say('committed'), say);
  },
};

void PROGRAMS[program!]!();
