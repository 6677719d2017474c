import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ConnectionError, openDatabase, type Database } from '../../../src/index.ts';
import { expectAtRest, rejection } from '../../fixtures/scratch-database.ts';
import { startPostgres } from '../../servers/postgres.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

const RECOVERY_LIMIT_MS = 5_000;

/** Writes until one is refused: sessions read a changed setting when they come to it. @returns why */
async function refusal(db: Database): Promise<unknown> {
  const limit = AbortSignal.timeout(20_000);
  return rejection(
    (async () => {
      while (!limit.aborted) await db.run("insert into t (name) values ('refused')");
    })(),
  );
}

/** Writes until one is acknowledged. @returns how long it took, in ms */
async function writesResume(db: Database): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const done = await db
      .run('insert into t (name) values ($1)', ['after'], { timeoutMs: 1_000 })
      .catch(() => undefined);
    if (done !== undefined) return performance.now() - begun;
    if (performance.now() - begun > 20_000) throw new Error('writes did not resume');
    await sleep(20);
  }
}

test('writes follow a replica that was promoted, and no acknowledged one is lost (C44, C45)', async () => {
  const server = await startPostgres({ replicas: 1, settings: { synchronous_standby_names: '*' } });
  onTestFinished(() => server.stop());
  const [replica] = server.replicas;
  const db = await openDatabase({
    ...{ name: false, log: 'silent', url: server.url, readUrls: [replica!.url] },
    replica: { checkIntervalMs: 100 },
    pool: { createTimeoutMs: 3_000 },
  });
  onTestFinished(() => db.close({ timeoutMs: 500 }));
  const changes: unknown[] = [];
  db.on('replication:primary-changed', ({ from, to }) => changes.push({ from, to }));
  await db.script('create table t (id bigserial primary key, name text)');
  const acknowledged: number[] = [];
  let isOver = false;
  const writer = (async () => {
    for (let n = 1; !isOver; n++) {
      const done = await db.run('insert into t (name) values ($1)', [`n${n}`]).catch(() => undefined);
      if (done !== undefined) acknowledged.push(n);
      else await sleep(20);
    }
  })();
  await sleep(200);
  await using jobs = await db.listen('jobs');
  await server.halt('kill');
  await replica!.promote();
  await replica!.query("alter system set synchronous_standby_names = ''");
  await replica!.query('select pg_reload_conf()');
  const tookMs = await writesResume(db);
  isOver = true;
  await writer;
  console.log(
    `writes resumed ${tookMs.toFixed(0)} ms after the promotion, ${acknowledged.length} were acknowledged`,
  );
  expect(tookMs).toBeLessThan(RECOVERY_LIMIT_MS);
  expect(changes).toEqual([{ from: `127.0.0.1:${server.port}`, to: `127.0.0.1:${replica!.port}` }]);
  const there = new Set(
    await db.all<{ name: string }>('select name from t').then((rows) => rows.map(({ name }) => name)),
  );
  expect(acknowledged.filter((n) => !there.has(`n${n}`))).toEqual([]);
  expect((await jobs.next()).value).toMatchObject({ kind: 'gap' });
  await db.run("notify jobs, 'there'");
  expect((await jobs.next()).value).toMatchObject({ payload: 'there' });
  const { status, checks } = await db.health();
  expect([status, checks.map(({ side, status: each }) => `${side} ${each}`)]).toEqual([
    'down',
    ['primary up', 'replica down'],
  ]);
  await expectAtRest(db);
});

test('a name that leads to a new primary is followed when the old one turns read-only (C44, 25006)', async () => {
  const server = await startPostgres({ replicas: 1 });
  onTestFinished(() => server.stop());
  const [replica] = server.replicas;
  await using name = await startTcpProxy({ port: server.port });
  const db = await openDatabase({
    ...{ name: false, log: 'silent', url: name.urlFor(server.url), readUrls: [replica!.url] },
    replica: { checkIntervalMs: 100 },
  });
  onTestFinished(() => db.close({ timeoutMs: 500 }));
  await db.script('create table t (id bigserial primary key, name text)');
  await db.run("insert into t (name) values ('before')");
  await sleep(100);
  await replica!.promote();
  // The old primary lives on, for reading: its sessions would go on failing for ever.
  await server.query('alter system set default_transaction_read_only = on');
  await server.query('select pg_reload_conf()');
  name.target = { host: '127.0.0.1', port: replica!.port };
  expect(await refusal(db)).toMatchObject({ code: 'ERR_MILLPOND_READ_ONLY' });
  const tookMs = await writesResume(db);
  console.log(`writes resumed after ${tookMs.toFixed(0)} ms`);
  expect(tookMs).toBeLessThan(RECOVERY_LIMIT_MS);
  expect(await replica!.query("select count(*)::int as n from t where name = 'after'")).toEqual([{ n: 1 }]);
});

test('all replicas down: reads go to the primary; when they are back, they are read again (C45)', async () => {
  const server = await startPostgres({ replicas: 1 });
  onTestFinished(() => server.stop());
  const [replica] = server.replicas;
  const db = await openDatabase({
    ...{ name: false, log: 'silent', url: server.url, readUrls: [replica!.url] },
    replica: { checkIntervalMs: 100 },
  });
  onTestFinished(() => db.close({ timeoutMs: 500 }));
  const where = (): Promise<boolean | undefined> =>
    db.value<boolean>('select pg_is_in_recovery()', [], { target: 'replica' });
  await expect.poll(where).toBe(true);
  await replica!.halt('kill');
  for (let read = 0; read < 20; read++) expect(await where()).toBe(false);
  expect(await db.transaction(async (tx) => tx.value('select 1'), { readOnly: true })).toBe(1);
  await replica!.start();
  const begun = performance.now();
  await expect.poll(where).toBe(true);
  console.log(`the replica was read again after ${(performance.now() - begun).toFixed(0)} ms (B12)`);
  expect(performance.now() - begun).toBeLessThan(RECOVERY_LIMIT_MS);
  await expectAtRest(db);
});

test('opens without its replicas, and not without a primary', async () => {
  const server = await startPostgres({ replicas: 1 });
  onTestFinished(() => server.stop());
  const [replica] = server.replicas;
  await replica!.halt('kill');
  const options = { name: false, log: 'silent', url: server.url, readUrls: [replica!.url] } as const;
  const db = await openDatabase(options);
  expect(await db.value('select 1', [], { target: 'replica' })).toBe(1);
  await db.close();
  await replica!.start();
  await server.halt('kill');
  await expect(openDatabase(options)).rejects.toThrow(ConnectionError);
});
