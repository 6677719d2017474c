import { expect, test } from 'vitest';
import { MillpondError, openDatabase, type Database } from '../../../src/index.ts';
import { rejection } from '../../fixtures/scratch-database.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { startTcpProxy, type TcpProxy } from '../../servers/tcp-proxy.ts';

const INSERT = "insert into kept (who) values ('somebody')";

/** A database behind a network that will be cut off without a word, in use by nobody else. */
async function openBehind(proxy: TcpProxy, options: object = {}): Promise<Database> {
  const url = proxy.urlFor(await sharedPostgresDatabase());
  const pool = { min: 1, max: 4 };
  const db = await openDatabase(url, { name: false, log: 'silent', cancelGraceMs: 200, pool, ...options });
  await db.script('create table if not exists kept (id serial primary key, who text not null)');
  return db;
}

async function startProxy(): Promise<TcpProxy> {
  return startTcpProxy({ port: Number(new URL(await sharedPostgresDatabase()).port) });
}

/** Before the network says anything about what it has swallowed. */
async function expectNothingLeased(db: Database): Promise<void> {
  await expect.poll(() => db.stats().pool.leased).toBe(0);
}

test('a network that swallows the end of transactions keeps none of their connections (B11, C40)', async () => {
  await using proxy = await startProxy();
  await using db = await openBehind(proxy);
  const silent = Promise.withResolvers<void>();
  let written = 0;
  const write = async (tx: Database | { run(text: string): Promise<unknown> }): Promise<void> => {
    await tx.run(INSERT);
    written += 1;
    await silent.promise;
  };
  const rolledBack = rejection(
    db.transaction(async (tx) => {
      await write(tx);
      throw new Error('mine');
    }),
  );
  const unknown = rejection(db.transaction(write, { timeoutMs: 3_000 }));
  await expect.poll(() => written).toBe(2);
  proxy.blackHole();
  silent.resolve();
  expect((await rolledBack).message).toBe('mine');
  expect(await unknown).toMatchObject({ code: 'ERR_MILLPOND_OUTCOME_UNKNOWN' });
  await expectNothingLeased(db);
  expect(db.stats().transactions).toMatchObject({ started: 2, active: 0, rolledBack: 1, unknown: 1 });
  proxy.restore();
  await expect.poll(() => db.value('select 1').catch(() => undefined)).toBe(1);
});

test('a BEGIN that is never answered ends with the limit of its transaction (B10, C40)', async () => {
  await using proxy = await startProxy();
  await using db = await openBehind(proxy);
  await expect.poll(() => db.stats().pool.idle).toBeGreaterThan(0);
  proxy.blackHole();
  expect(await rejection(db.begin({ timeoutMs: 300 }))).toBeInstanceOf(MillpondError);
  await expectNothingLeased(db);
});

test('a lease whose session the server does not clean up is not kept for it (B11, C40)', async () => {
  await using proxy = await startProxy();
  await using db = await openBehind(proxy);
  const lease = await db.acquire();
  await lease.connection.run("set work_mem = '8MB'");
  proxy.blackHole();
  lease.release();
  await expectNothingLeased(db);
});

test('a write about which the server is asked first has its own limits meanwhile (B10, C40)', async () => {
  await using proxy = await startProxy();
  await using db = await openBehind(proxy, { queryTimeoutMs: 1_000 });
  db.on('data:change', () => undefined);
  const client = new AbortController();
  proxy.blackHole();
  const late = rejection(db.run(INSERT, [], { timeoutMs: 300 }));
  const aborted = rejection(db.run(INSERT, [], { signal: client.signal }));
  client.abort(new Error('gone'));
  expect((await aborted).message).toBe('gone');
  expect(await late).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', timeoutMs: 300 });
  await expectNothingLeased(db);
});
