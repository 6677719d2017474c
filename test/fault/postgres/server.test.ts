import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ConnectionError, MillpondError, openDatabase, type Database } from '../../../src/index.ts';
import { expectAtRest, outcomes, rejection } from '../../fixtures/scratch-database.ts';
import { runningTime } from '../../fixtures/running-time.ts';
import { openPostgresAt } from '../../fixtures/scratch-postgres.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { POSTGRES_PASSWORD, startPostgres, type PostgresServer } from '../../servers/postgres.ts';

const SCHEMA = 'create table if not exists t (id bigserial primary key, tag text)';
/** Promise B12, at the default interval of attempts. */
const RECOVERY_LIMIT_MS = 5_000;

const ENDS = ['immediate', 'kill', 'fast'] as const;

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({
    settings: { max_connections: 12, superuser_reserved_connections: 2, fsync: 'on' },
  });
});
afterAll(() => server.stop());

/** Calls until one succeeds. @returns how long that took, in ms */
async function recovery(db: Database): Promise<number> {
  using running = runningTime();
  for (;;) {
    const [end] = await outcomes([db.value('select 1')]);
    if (end === 1) return running.ms;
    expect(end).toBeInstanceOf(MillpondError);
    if (running.ms > 20_000) throw new Error('no recovery');
    await sleep(10);
  }
}

test(
  'a server that crashes and comes back: nothing acknowledged is lost, and the pool goes on (C41, B12)',
  async () => {
    const db = await openPostgresAt(await server.createDatabase(), SCHEMA, { pool: { max: 4 } });
    const acknowledged: string[] = [];
    const cycles = scaled(3);
    let longestMs = 0;
    for (let cycle = 0; cycle < cycles; cycle++) {
      let isOver = false;
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let n = 0; !isOver; n++) {
          const tag = `${cycle} ${writer} ${n}`;
          const [end] = await outcomes([db.run('insert into t (tag) values ($1)', [tag])]);
          if (!(end instanceof Error)) acknowledged.push(tag);
          else await sleep(10);
        }
      });
      const before = acknowledged.length;
      await sleep(100);
      await expect.poll(() => acknowledged.length).toBeGreaterThan(before);
      await server.halt(ENDS[cycle % 3]);
      await sleep(100);
      await server.start();
      longestMs = Math.max(longestMs, await recovery(db));
      isOver = true;
      await Promise.all(writers);
    }
    const there = new Set((await db.arrays('select tag from t')).flat());
    const lost = acknowledged.filter((tag) => !there.has(tag));
    console.log(
      `${cycles} crashes, ${acknowledged.length} acknowledged, lost ${lost.length}; recovery p100 ${longestMs.toFixed(0)} ms`,
    );
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    expect(longestMs).toBeLessThan(RECOVERY_LIMIT_MS);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test('a server that stands still: calls end within their limits, and go on when it does (C41)', async () => {
  const limitMs = 800;
  const url = await server.createDatabase();
  const pool = { max: 2, acquireTimeoutMs: limitMs, createTimeoutMs: limitMs };
  const db = await openPostgresAt(url, SCHEMA, { queryTimeoutMs: limitMs, pool });
  const pids = await server.query<{ pid: number }>('select pid from pg_stat_activity where datname = $1', [
    new URL(url).pathname.slice(1),
  ]);
  const all = [server.pid, ...pids.map(({ pid }) => pid)];
  for (const pid of all) process.kill(pid, 'SIGSTOP');
  onTestFinished(() => all.forEach((pid) => resume(pid)));
  let longestMs = 0;
  for (let call = 0; call < 3; call++) {
    using running = runningTime();
    expect((await outcomes([db.value('select 1')]))[0]).toBeInstanceOf(MillpondError);
    longestMs = Math.max(longestMs, running.ms);
  }
  for (const pid of all) resume(pid);
  const recoveredMs = await recovery(db);
  console.log(
    `p100 ${longestMs.toFixed(0)} ms at a limit of ${limitMs} ms; recovery ${recoveredMs.toFixed(0)} ms`,
  );
  expect(longestMs).toBeLessThan(limitMs + 250 + 1_000);
  expect(recoveredMs).toBeLessThan(RECOVERY_LIMIT_MS);
  await expectAtRest(db);
});

test('a server that is full: callers are told so, and get in when there is room (C41, 53300)', async () => {
  const url = await server.createDatabase();
  const options = { pool: { max: 30, min: 0, acquireTimeoutMs: 2_000 } };
  const db = await openPostgresAt(url, SCHEMA, options);
  const calls = Array.from({ length: 30 }, () => db.value('select pg_sleep(0.05)'));
  const ends = await outcomes(calls);
  expect(ends.filter((end) => end instanceof Error && !(end instanceof MillpondError))).toEqual([]);
  console.log(`30 callers, room for 10: ${ends.filter((end) => end instanceof Error).length} refused`);
  expect(await recovery(db)).toBeLessThan(RECOVERY_LIMIT_MS);
  await expectAtRest(db);
});

test('a server that is down at the start: the message says where, and not the password (C41, P3)', async () => {
  const url = await server.createDatabase();
  await server.halt('fast');
  const error = await rejection(openDatabase({ url, name: false, log: 'silent' }));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error.message).toContain(`127.0.0.1:${server.port}`);
  expect(`${error.message} ${String(error.cause)} ${JSON.stringify(error)}`).not.toContain(POSTGRES_PASSWORD);
  await server.start();
  const db = await openPostgresAt(url, SCHEMA);
  await expectAtRest(db);
});

test(
  'connections that retire all the time fail no call (C47)',
  async () => {
    const pool = {
      max: 4,
      min: 1,
      maxLifetimeMs: 100,
      idleTimeoutMs: 50,
      keepaliveMs: 30,
      pingAfterIdleMs: 0,
    };
    const db = await openPostgresAt(await server.createDatabase(), SCHEMA, { pool });
    const until = performance.now() + scaled(1_500);
    const deadline = until + 20_000;
    const isOver = (): boolean => performance.now() > until && db.stats().pool.retired > 5;
    let calls = 0;
    const callers = Array.from({ length: 6 }, async (_, caller) => {
      while (!isOver() && performance.now() < deadline) {
        expect(await db.transaction((tx) => tx.value('select $1::int', [caller]))).toBe(caller);
        expect(await db.value('select $1::int', [caller])).toBe(caller);
        calls += 2;
        await sleep(caller);
      }
    });
    await Promise.all(callers);
    const { created, retired } = db.stats().pool;
    console.log(`${calls} calls, ${created} connections opened, ${retired} retired meanwhile, errors 0`);
    expect(retired).toBeGreaterThan(5);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'random work with random faults leaves nothing borrowed (C46, B11)',
  async () => {
    const url = await server.createDatabase();
    const hunted = `${url}?application_name=hunted`;
    const db = await openPostgresAt(hunted, SCHEMA, { pool: { max: 4, acquireTimeoutMs: 2_000 } });
    const admin = await openPostgresAt(url, '', { pool: { max: 1 } });
    const random = randomFrom(seed);
    const choices: readonly (() => Promise<unknown>)[] = [
      () => db.run('insert into t (tag) values ($1)', ['x']),
      () => db.value('select 1/0'),
      () => db.value('select pg_sleep(0.05)', [], { timeoutMs: 5 }),
      () => db.transaction(async (tx) => tx.run('insert into t (tag) values ($1)', ['y'])),
      () => db.transaction(async () => Promise.reject(new Error('thrown'))),
      () => db.transaction(async (tx) => tx.value('select pg_sleep(0.05)'), { timeoutMs: 5 }),
      () => firstRow(db),
      () => db.batch(['select 1', 'select 1/0']),
      () => leaseWith(db, "set work_mem = '5MB'"),
      () => db.copyIn('copy t (tag) from stdin', ['a\n', 'b\n']),
      () =>
        admin.value(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`),
    ];
    const operations = scaled(600);
    for (let done = 0; done < operations; done += 6) {
      const some = Array.from({ length: 6 }, () => choices[Math.floor(random() * choices.length)]!());
      await outcomes(some);
    }
    await expectAtRest(db);
    const sessions = (): Promise<number | undefined> =>
      admin.value<number>("select count(*)::int from pg_stat_activity where application_name = 'hunted'");
    // One that was cut off while it slept notices a moment later.
    await expect.poll(async () => (await sessions())! - db.stats().pool.size).toBe(0);
    const open = await sessions();
    console.log(
      `${operations} operations, borrowed 0, ${open} sessions for a pool of ${db.stats().pool.size} (seed ${seed})`,
    );
  },
  scaledTimeoutMs(),
);

async function firstRow(db: Database): Promise<unknown> {
  for await (const row of db.stream('select * from generate_series(1, 10000)')) return row;
  return undefined;
}

async function leaseWith(db: Database, text: string): Promise<void> {
  await using lease = await db.acquire();
  await lease.connection.run(text);
}

function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It ended meanwhile.
  }
}
