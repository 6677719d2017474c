import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createCache } from '../../../src/cache/index.ts';
import {
  ConnectionError,
  openDatabase,
  ReadOnlyError,
  UsageError,
  type Database,
  type DatabaseOptions,
} from '../../../src/index.ts';
import { expectAtRest, rejection } from '../../fixtures/scratch-database.ts';
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({ replicas: 2 });
});
afterAll(() => server.stop());

interface Opened {
  readonly db: Database;
  readonly database: string;
}

/** A new database on the primary, which both replicas follow. */
async function openReplicated(options: Partial<DatabaseOptions> = {}): Promise<Opened> {
  const url = await server.createDatabase();
  const database = new URL(url).pathname.slice(1);
  const readUrls = server.replicas.map((replica) => replica.urlOf(database));
  await replayedAll();
  const db = await openDatabase({ name: false, log: 'silent', url, readUrls, ...options });
  onTestFinished(() => db.close({ timeoutMs: 1_000 }));
  await db.script('create table t (id int primary key, name text)');
  await replayed((await db.lastWrite())!);
  return { db, database };
}

/** What was committed by now, a new database for example. */
async function replayedAll(): Promise<void> {
  const [made] = await server.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
  await replayed(made!.lsn);
}

async function replayed(lsn: string): Promise<void> {
  for (const replica of server.replicas) {
    const text = 'select 1 from (select pg_last_wal_replay_lsn() >= $1::pg_lsn as ok) r where ok';
    await expect.poll(() => replica.query(text, [lsn])).toHaveLength(1);
  }
}

/** Stops replay on both, until the test is over. */
async function pauseReplay(): Promise<() => Promise<void>> {
  const each = (text: string): Promise<unknown> =>
    Promise.all(server.replicas.map((replica) => replica.query(text)));
  const resume = async (): Promise<void> => void (await each('select pg_wal_replay_resume()'));
  await each('select pg_wal_replay_pause()');
  onTestFinished(resume);
  return resume;
}

const WHERE = 'select pg_is_in_recovery() as replica, inet_server_port() as port';

describe('routing (P19)', () => {
  test('reads with target replica and read-only transactions go to the replicas, in turn', async () => {
    const { db } = await openReplicated();
    const ports = new Set<number>();
    // One of them may be known to have come far enough before the other is.
    for (let round = 0; ports.size < 2 && round < 500; round++) {
      const row = await db.get<{ replica: boolean; port: number }>(WHERE, [], { target: 'replica' });
      expect(row!.replica).toBe(true);
      ports.add(row!.port);
      await sleep(10);
    }
    expect(ports).toEqual(new Set(server.replicas.map(({ port }) => port)));
    const inside = await db.transaction(async () => db.get<{ replica: boolean }>(WHERE), { readOnly: true });
    expect(inside!.replica).toBe(true);
    expect((await db.get<{ replica: boolean }>(WHERE))!.replica).toBe(false);
    expect((await db.transaction(async () => db.get<{ replica: boolean }>(WHERE)))!.replica).toBe(false);
    await using lease = await db.acquire();
    expect((await lease.connection.get<{ replica: boolean }>(WHERE))!.replica).toBe(false);
    const streamed: unknown[] = [];
    for await (const row of db.stream<{ replica: boolean }>(WHERE, [], { target: 'replica' }))
      streamed.push(row.replica);
    expect(streamed).toEqual([true]);
    const [both] = await db.batch<{ replica: boolean }>([WHERE], { target: 'replica' });
    expect(both!.rows[0]!.replica).toBe(true);
  });

  test('the figures are those of all servers together, and of each (S4)', async () => {
    const { db } = await openReplicated({ pool: { max: 3 } });
    const { pool, replication } = db.stats();
    const ports = [server.port, ...server.replicas.map(({ port }) => port)];
    expect(Object.keys(replication!.pools)).toEqual(ports.map((port) => `127.0.0.1:${port}`));
    const pools = Object.values(replication!.pools);
    expect(pools.map(({ max }) => max)).toEqual([3, 3, 3]);
    expect(pools.reduce((sum, { size }) => sum + size, 0)).toBe(pool.size);
    expect(pool.max).toBe(9);
  });

  test('no write reaches a replica (C45)', async () => {
    const { db } = await openReplicated();
    const wrong = db.run("insert into t values (1, 'x')", [], { target: 'replica' });
    expect(await rejection(wrong)).toBeInstanceOf(ReadOnlyError);
    const inside = db.transaction(async (tx) => tx.run("insert into t values (1, 'x')"), { readOnly: true });
    expect(await rejection(inside)).toBeInstanceOf(ReadOnlyError);
    expect(await db.value('select count(*)::int from t')).toBe(0);
    expect(db.stats()).toMatchObject({ replication: { primary: `127.0.0.1:${server.port}` } });
    await expectAtRest(db);
  });

  test('health shows each side (P7)', async () => {
    const { db } = await openReplicated();
    const { status, checks } = await db.health();
    expect(status).toBe('up');
    expect(checks.map(({ side, server: at }) => [side, at])).toEqual([
      ['primary', undefined],
      ...server.replicas.map(({ port }) => ['replica', `127.0.0.1:${port}`]),
    ]);
  });
});

describe('read your writes (B7)', () => {
  test('a read after a write sees it, from the primary while the replicas are paused', async () => {
    const { db } = await openReplicated({ replica: { waitMs: 20 } });
    const resume = await pauseReplay();
    const count = (): Promise<number | undefined> =>
      db.value<number>('select count(*)::int from t', [], { target: 'replica' });
    await db.run("insert into t values (1, 'a')");
    expect(await count()).toBe(1);
    await db.transaction(async (tx) => tx.run("insert into t values (2, 'b')"));
    expect(await count()).toBe(2);
    expect(
      await db.transaction(async () => db.value('select count(*)::int from t'), { readOnly: true }),
    ).toBe(2);
    await using tx = await db.begin();
    await tx.run("insert into t values (3, 'c')");
    await tx.commit();
    expect(await count()).toBe(3);
    await db.copyIn('copy t from stdin', ['4\td\n']);
    expect(await count()).toBe(4);
    expect((await db.get<{ replica: boolean }>(WHERE, [], { target: 'replica' }))!.replica).toBe(false);
    await resume();
    await expect
      .poll(async () => (await db.get<{ replica: boolean }>(WHERE, [], { target: 'replica' }))!.replica)
      .toBe(true);
    expect(await count()).toBe(4);
    await expectAtRest(db);
  });

  test('in a scope, only the writes of that scope are waited for; a token carries them on', async () => {
    const { db, database } = await openReplicated({ replica: { waitMs: 20 } });
    await pauseReplay();
    const token = await db.readYourWrites(async () => {
      await sleep(1);
      await db.run("insert into t values (1, 'a')");
      return db.lastWrite();
    });
    expect(token).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    const count = (readAfter?: string): Promise<number | undefined> =>
      db.value<number>('select count(*)::int from t', [], { target: 'replica', readAfter });
    expect(await db.readYourWrites(() => count())).toBe(0);
    expect(await db.readYourWrites(() => count(token))).toBe(1);
    expect(await db.readYourWrites(() => count(), { after: token })).toBe(1);
    const reading = { readOnly: true, readAfter: token };
    const inside = (): Promise<unknown> =>
      db.transaction(async (tx) => tx.value('select count(*)::int from t'), reading);
    expect(await db.readYourWrites(inside)).toBe(1);
    const other = await openDatabase({
      ...{ name: false, log: 'silent', url: server.urlOf(database), replica: { waitMs: 20 } },
      readUrls: server.replicas.map((replica) => replica.urlOf(database)),
    });
    onTestFinished(() => other.close({ timeoutMs: 1_000 }));
    const text = 'select count(*)::int from t';
    expect(await other.value(text, [], { target: 'replica' })).toBe(0);
    expect(await other.value(text, [], { target: 'replica', readAfter: token })).toBe(1);
    await expect(count('nonsense')).rejects.toThrow(UsageError);
  });

  test('waits for a replica that is nearly there instead of reading the primary', async () => {
    const { db } = await openReplicated({ replica: { waitMs: 5_000 } });
    const resume = await pauseReplay();
    await db.run("insert into t values (1, 'a')");
    setTimeout(() => void resume(), 150);
    const row = await db.get<{ replica: boolean; n: number }>(
      `select (select count(*)::int from t) as n, pg_is_in_recovery() as replica`,
      [],
      { target: 'replica' },
    );
    expect(row).toEqual({ n: 1, replica: true });
  });
});

test('what is cached was not read from a replica that is behind a write of somebody else (B15)', async () => {
  const { db, database } = await openReplicated({ replica: { waitMs: 20 } });
  await using cache = createCache(db, { name: false });
  const readCount = (): Promise<number | undefined> =>
    db.value<number>('select count(*)::int from t', [], { target: 'replica' });
  const count = (): Promise<number | undefined> => cache.getOrSet('count', readCount);
  await pauseReplay();
  const other = await openDatabase(server.urlOf(database), { name: false, log: 'silent' });
  onTestFinished(() => other.close());
  for (let id = 1; id <= 3; id++) {
    await other.run('insert into t values ($1)', [id]);
    // As a notification would, or another request: this flow has written nothing itself.
    await db.readYourWrites(async () => {
      expect(await readCount()).toBe(0);
      await cache.clear();
      expect(await count()).toBe(id);
      expect(await db.readLatest(readCount)).toBe(id);
    });
  }
  await expectAtRest(db);
});

test('a pool that is taken is no reason to think that the primary is gone', async () => {
  const { db } = await openReplicated({
    replica: { checkIntervalMs: 50 },
    pool: { max: 2, leakAfterMs: 0 },
    transactionTimeoutMs: 0,
    idleInTransactionTimeoutMs: 0,
  });
  const begun = await Promise.all(Array.from({ length: 2 }, () => db.begin()));
  await Promise.all(begun.map((tx) => tx.value('select 1')));
  await sleep(4_500);
  const retired = db.stats().pool.retired;
  await Promise.all(begun.map((tx) => tx.commit()));
  await sleep(100);
  expect(db.stats().pool.retired - retired).toBe(0);
  expect(db.stats()).toMatchObject({ replication: { primary: `127.0.0.1:${server.port}` } });
});

test.each([true, false])(
  'the question where the log ends takes no connection that callers hold, and is told to nobody (pooled: %s)',
  async (pooled) => {
    const { db } = await openReplicated({
      ...{ pooled, replica: { checkIntervalMs: 50 } },
      pool: { max: 1, acquireTimeoutMs: 3_000 },
    });
    const told: unknown[] = [];
    db.on('data:change', ({ tables }) => told.push(tables));
    db.on('query:end', ({ sql }) => told.push(sql));
    await using lease = await db.acquire();
    await lease.connection.run("insert into t values (1, 'a')");
    const text = 'select count(*)::int from t';
    // Whoever holds the connection waits for the read: that must not wait for the connection.
    expect(await db.value(text, [], { target: 'replica' })).toBe(1);
    await sleep(200);
    expect(told).toEqual([undefined, "insert into t values (1, 'a')", text]);
  },
);

describe('replicas that cannot serve', () => {
  test('one that lags behind is left out until it has caught up, and this is announced', async () => {
    const { db } = await openReplicated({ replica: { maxLagMs: 200, checkIntervalMs: 50, waitMs: 10 } });
    const heard: string[] = [];
    db.on('health:down', ({ side, error }) =>
      heard.push(`${side} down ${error.message.replace(/\d+ ms/, 'n ms')}`),
    );
    db.on('health:up', ({ side }) => heard.push(`${side} up`));
    const resume = await pauseReplay();
    await db.run("insert into t values (1, 'a')");
    await expect.poll(() => heard.length).toBe(2);
    const old = db.readYourWrites(() => db.value('select pg_is_in_recovery()', [], { target: 'replica' }));
    expect(await old).toBe(false);
    await resume();
    await expect.poll(() => heard.length).toBe(4);
    expect(heard.slice(2)).toEqual(['replica up', 'replica up']);
    expect(heard[0]).toContain('n ms behind the primary');
    expect(await db.value('select pg_is_in_recovery()', [], { target: 'replica' })).toBe(true);
  });

  test('what the primary has not flushed is no lag, and not waited for: no replica can have it (B7)', async () => {
    const { db, database } = await openReplicated({ replica: { waitMs: 5_000, checkIntervalMs: 50 } });
    await using other = await openDatabase(server.urlOf(database), { name: false, log: 'silent' });
    // What it writes stays in memory until somebody commits.
    await using open = await other.begin();
    await open.run("insert into t values (1, 'a')");
    const before = db.stats().replication!.fallbacks;
    for (const id of [2, 3, 4]) {
      await db.run('insert into t values ($1)', [id]);
      await open.run('update t set name = $1 where id = 1', [`u${id}`]);
      const text = 'select id from t where id = $1';
      expect(await db.value(text, [id], { target: 'replica' })).toBe(id);
    }
    expect(db.stats().replication!.fallbacks - before).toBe(0);
    const lags = (): number[] => db.stats().replication!.replicas.map(({ lagMs }) => lagMs);
    await expect.poll(lags).toEqual([0, 0]);
    await open.rollback();
  });

  test('what is answered before it is on disk is seen all the same (B7)', async () => {
    const { db } = await openReplicated();
    for (let id = 1; id <= 10; id += 1) {
      await db.transaction(async (tx) => {
        await tx.run('set local synchronous_commit = off');
        await tx.run('insert into t values ($1)', [id]);
      });
      expect(await db.value('select id from t where id = $1', [id], { target: 'replica' })).toBe(id);
    }
  });

  test('one that falls silent lets go of what runs there: reads are answered elsewhere (C39, C45, B10)', async () => {
    const url = await server.createDatabase();
    await replayedAll();
    const [silent, other] = server.replicas.map(({ port }) => port);
    await using proxy = await startTcpProxy({ port: silent! });
    const readUrls = [proxy.urlFor(url), server.replicas[1]!.urlOf(new URL(url).pathname.slice(1))];
    const db = await openDatabase({
      ...{ name: false, log: 'silent', url, readUrls },
      replica: { checkIntervalMs: 50 },
    });
    onTestFinished(() => db.close({ timeoutMs: 1_000 }));
    await db.script('create table t (id int primary key)');
    await replayed((await db.lastWrite())!);
    const port = "select setting::int from pg_settings where name = 'port'";
    const read = (): Promise<number | undefined> => db.value<number>(port, [], { target: 'replica' });
    const seen = new Set<number | undefined>();
    await expect.poll(async () => seen.add(await read())).toEqual(new Set([silent, other]));
    const held = await db.begin({ readOnly: true });
    const held2 = await db.begin({ readOnly: true });
    const ports = [await held.value<number>(port), await held2.value<number>(port)];
    const [stuck, free] = ports[0] === silent ? [held, held2] : [held2, held];
    proxy.blackHole();
    const lost = rejection(stuck.value(port));
    // Without that they would take the 30 s that a statement may take.
    expect(new Set(await Promise.all([read(), read(), read(), read()]))).toEqual(new Set([other]));
    expect(await lost).toBeInstanceOf(ConnectionError);
    expect(await free.value(port)).toBe(other);
    await free.rollback();
    await stuck.rollback();
    proxy.restore();
    await expect.poll(read, { timeout: 60_000 }).toBe(silent);
  });

  test('one that is silent does not keep the others from being looked at', async () => {
    const url = await server.createDatabase();
    await replayedAll();
    const [first, second] = server.replicas;
    await using proxy = await startTcpProxy({ port: first!.port });
    const db = await openDatabase({
      ...{ name: false, log: 'silent', url },
      readUrls: [proxy.urlFor(url), second!.urlOf(new URL(url).pathname.slice(1))],
      replica: { checkIntervalMs: 50, maxLagMs: 200 },
    });
    onTestFinished(() => db.close({ timeoutMs: 1_000 }));
    const down: (string | undefined)[] = [];
    db.on('health:down', ({ server: at }) => void down.push(at));
    await pauseReplay();
    proxy.blackHole();
    await db.script('create table t (id int)');
    await expect.poll(() => down.length).toBe(2);
    expect(down).toEqual([`127.0.0.1:${second!.port}`, `127.0.0.1:${proxy.port}`]);
    const { checks } = await db.health();
    expect(checks.map(({ error }) => error?.message)).toEqual([
      undefined,
      expect.stringContaining('did not end within 2000 ms'),
      expect.stringContaining('behind the primary'),
    ]);
  });

  test('only so many reads go to the primary in their place; others wait, and are refused in time', async () => {
    const { db } = await openReplicated({
      replica: { waitMs: 0, maxFallback: 2 },
      pool: { max: 8, acquireTimeoutMs: 1_500 },
    });
    await pauseReplay();
    await db.run("insert into t values (1, 'a')");
    const sleeping = 'select pg_sleep(1), pg_is_in_recovery() as replica';
    const begun = performance.now();
    const reads = Array.from({ length: 6 }, () => db.get(sleeping, [], { target: 'replica' }));
    const ended = await Promise.allSettled(reads);
    const served = ended.filter(({ status }) => status === 'fulfilled').length;
    expect(served).toBe(4);
    expect(performance.now() - begun).toBeLessThan(8_000);
    const refused = ended.find((one) => one.status === 'rejected');
    expect(refused!.reason).toMatchObject({ code: 'ERR_MILLPOND_POOL_EXHAUSTED', retryable: true });
    await expectAtRest(db);
  });
});
