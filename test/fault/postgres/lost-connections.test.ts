import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConnectionError,
  MillpondError,
  openDatabase,
  OutcomeUnknownError,
  TransactionClosedError,
  type Database,
} from '../../../src/index.ts';
import { expectAtRest } from '../../../src/testing/index.ts';
import { backendOf, postgresScratch, terminate } from '../../fixtures/postgres-database.ts';
import { runningTime } from '../../fixtures/running-time.ts';
import { scaled } from '../../fixtures/scale.ts';
import { sharedPostgresUrl } from '../../servers/shared.ts';
import { startTcpProxy, type TcpProxy } from '../../servers/tcp-proxy.ts';

const SCHEMA = 'create table kept (id serial primary key, who text not null)';

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function rowsOf(db: Database): Promise<string[]> {
  return (await db.arrays('select who from kept order by id')).flat() as string[];
}

describe('a process of the server that is ended (C37)', () => {
  const scratch = postgresScratch(SCHEMA);

  test('while its connection is idle is noticed, and replaced', async () => {
    const { db, other } = scratch;
    for (let round = 0; round < scaled(6); round += 1) {
      const lease = await db.acquire();
      const processId = await backendOf(lease.connection);
      lease.release();
      await terminate(other, processId);
      // Its end and the other's answer have arrived together: one of them is heard first.
      await new Promise((resolve) => setImmediate(resolve));
      expect(await db.transaction((tx) => tx.value('select 1'))).toBe(1);
    }
  });

  test('while nobody needs its connection is reported, and `min` are kept open (P6, P13)', async () => {
    const { other } = scratch;
    const name = 'kept_open';
    const url = Object.assign(new URL(scratch.url), { search: `?application_name=${name}` }).href;
    await using db = await openDatabase(url, { name: false, log: 'silent', pool: { min: 3, max: 5 } });
    const sessions = 'select count(*) from pg_stat_activity where application_name = $1';
    await expect.poll(() => db.stats().pool).toMatchObject({ size: 3, idle: 3 });
    const losses: Error[] = [];
    db.on('connection:error', ({ error }) => void losses.push(error));
    await other.run(
      'select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1',
      [name],
    );
    await expect.poll(() => losses.length).toBe(3);
    expect(losses[0]).toMatchObject({ code: 'ERR_MILLPOND_CONNECTION', message: 'A connection was lost.' });
    await expect.poll(() => other.value(sessions, [name])).toBe(3);
    await expect.poll(() => db.stats().pool).toMatchObject({ size: 3, idle: 3, retired: 3 });
  });

  test('before its connection was open is reported by what the connection was for', async () => {
    const { hostname, port } = new URL(scratch.url);
    await using proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const pool = { min: 1, max: 2, createTimeoutMs: 200, acquireTimeoutMs: 500 };
    await using db = await openDatabase(proxy.urlFor(scratch.url), { name: false, log: 'silent', pool });
    const roles = new Set<string>();
    db.on('connection:error', ({ role }) => void roles.add(role));
    const lease = await db.acquire();
    proxy.blackHole();
    expect(await thrownBy(db.acquire())).toBeInstanceOf(MillpondError);
    expect([...roles]).toEqual(['connection']);
    proxy.restore();
    lease.release();
    await expect.poll(() => db.value('select 1').catch(() => 0)).toBe(1);
  });

  test('while it is idle is reported as soon as the server says so, and once', async () => {
    const { other } = scratch;
    const { hostname, port } = new URL(scratch.url);
    await using proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const options = { name: false, log: 'silent', pool: { min: 1, max: 2 } } as const;
    await using db = await openDatabase(proxy.urlFor(scratch.url), options);
    const losses: unknown[] = [];
    db.on('connection:error', ({ error }) => void losses.push(error));
    const lease = await db.acquire();
    const processId = await backendOf(lease.connection);
    lease.release();
    // The end of the server's last message; the end of the connection, which follows it, does not pass.
    const pattern = Buffer.from('RProcessInterrupts\0\0');
    const said = proxy.cutOnce({
      direction: 'to-client',
      pattern,
      keep: pattern.length,
      how: 'silence',
    });
    await terminate(other, processId);
    await said;
    await expect.poll(() => db.stats().pool).toMatchObject({ size: 1, idle: 1, retired: 1 });
    expect(losses).toMatchObject([{ code: 'ERR_MILLPOND_CONNECTION', message: 'A connection was lost.' }]);
    proxy.finishAll();
    await expect.poll(() => losses).toHaveLength(2);
    expect(await db.value('select 1')).toBe(1);
  });

  test('while it reads fails that read alone', async () => {
    const { db, other } = scratch;
    await using lease = await db.acquire();
    const processId = await backendOf(lease.connection);
    const reading = thrownBy(lease.connection.value('select 1 from pg_sleep(5)'));
    const beside = db.value('select 7');
    await terminate(other, processId);
    expect(await reading).toBeInstanceOf(ConnectionError);
    expect(await beside).toBe(7);
  });

  test('while it writes has written nothing, and says so', async () => {
    const { db, other } = scratch;
    for (let round = 0; round < scaled(5); round += 1) {
      const lease = await db.acquire();
      const processId = await backendOf(lease.connection);
      const text = "insert into kept (who) select 'lost' from pg_sleep(5)";
      const writing = thrownBy(lease.connection.run(text));
      await sleep(5);
      await terminate(other, processId);
      const error = await writing;
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).not.toBeInstanceOf(OutcomeUnknownError);
      lease.release();
    }
    expect(await rowsOf(other)).toEqual([]);
  });

  test('between two statements of a transaction ends it: nothing of it runs anywhere (B8)', async () => {
    const { db, other } = scratch;
    for (let round = 0; round < scaled(6); round += 1) {
      const tx = await db.begin();
      await tx.run("insert into kept (who) values ('dead')");
      const processId = await backendOf(tx);
      const killed = terminate(other, processId);
      // Without waiting, and after: the statement must not find another connection.
      const early = thrownBy(tx.run("insert into kept (who) values ('dead 2')"));
      await killed;
      const late = await thrownBy(tx.run("insert into kept (who) values ('dead 3')"));
      expect(late).toBeInstanceOf(MillpondError);
      expect(await thrownBy(tx.commit())).toBeInstanceOf(MillpondError);
      await early;
    }
    expect(await rowsOf(other)).toEqual([]);
    await expectAtRest(db);
  });

  test('as a transaction begins frees its place (C34)', async () => {
    const { db, other } = scratch;
    for (let round = 0; round < scaled(6); round += 1) {
      const lease = await db.acquire();
      const processId = await backendOf(lease.connection);
      lease.release();
      const killed = terminate(other, processId);
      const work = thrownBy(
        db.transaction(async (tx) => {
          await tx.run("insert into kept (who) values ('begun')");
          throw new Error('undo');
        }),
      );
      await Promise.all([killed, work]);
    }
    expect(await rowsOf(other)).toEqual([]);
    await expectAtRest(db);
  });
});

describe('two transactions on one connection after the other (C38)', () => {
  const scratch = postgresScratch(SCHEMA, { pool: { max: 1 } });

  test('do not meet, though the first was killed and goes on', async () => {
    const { db, other } = scratch;
    for (let round = 0; round < scaled(6); round += 1) {
      const first = await db.begin();
      await first.run("insert into kept (who) values ('dead 1')");
      await terminate(other, await backendOf(first));
      const second = db.begin();
      // The server's end may not have been heard of yet: then it is sent, and lost.
      const early = thrownBy(first.run("insert into kept (who) values ('dead 2')"));
      const tx = await second;
      await tx.run("insert into kept (who) values ('live')");
      const late = [first.run("insert into kept (who) values ('dead 3')"), first.commit()].map(thrownBy);
      for (const error of await Promise.all(late)) expect(error).toBeInstanceOf(TransactionClosedError);
      const isClosed = (await early) instanceof TransactionClosedError;
      expect(isClosed || (await early) instanceof ConnectionError, String(await early)).toBe(true);
      await tx.rollback();
    }
    expect(await rowsOf(other)).toEqual([]);
  });
});

describe('a link that is cut', () => {
  let proxy: TcpProxy;
  beforeAll(async () => {
    const { port } = new URL(await sharedPostgresUrl());
    proxy = await startTcpProxy({ port: Number(port) });
  });
  afterAll(() => proxy.close());
  const scratch = postgresScratch(SCHEMA, { pool: { max: 3 } }, (url) => proxy.urlFor(url));

  test('at any byte of the answer to COMMIT leaves a commit that is known to be one (C39, B1)', async () => {
    const { db, other } = scratch;
    const answer = Buffer.from('COMMIT\0');
    const wanted: string[] = [];
    for (let keep = 0; keep <= answer.length; keep += 1) {
      const how = keep % 2 === 0 ? 'reset' : 'finish';
      const cut = proxy.cutOnce({ direction: 'to-client', pattern: answer, keep, how });
      await db.transaction((tx) => tx.run(`insert into kept (who) values ('answer ${keep}')`));
      await cut;
      wanted.push(`answer ${keep}`);
    }
    expect(await rowsOf(other)).toEqual(wanted);
    await other.run('delete from kept');
  });

  test('before the server has read COMMIT is never told as a commit, and nothing of it appears (C39, B1)', async () => {
    const { db, other } = scratch;
    const request = Buffer.from('commit\0');
    for (let keep = 0; keep < request.length; keep += 2) {
      const cut = proxy.cutOnce({ direction: 'to-server', pattern: request, keep, how: 'reset' });
      const error = await thrownBy(db.transaction((tx) => tx.run("insert into kept (who) values ('no')")));
      await cut;
      // Whether it is known to be undone depends on whether the number of the transaction came back in time.
      expect(error instanceof ConnectionError || error instanceof OutcomeUnknownError).toBe(true);
    }
    await sleep(20);
    expect(await rowsOf(other)).toEqual([]);
  });

  test('under a write outside a transaction leaves an outcome that nobody knows (B1)', async () => {
    const { db, other } = scratch;
    const cut = proxy.cutOnce({ direction: 'to-client', pattern: Buffer.from('INSERT 0 1'), how: 'reset' });
    const error = await thrownBy(db.run("insert into kept (who) values ('perhaps')"));
    await cut;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await rowsOf(other)).toEqual(['perhaps']);
    await other.run('delete from kept');
  });

  test('under reads that share it is not noticed by them: they are sent again', async () => {
    const { db } = scratch;
    const read = (n: number) => db.value<number>('select $1::int', [n]);
    for (let round = 0; round < 20; round += 1) await read(round);
    for (let round = 0; round < scaled(10); round += 1) {
      const reads = Array.from({ length: 8 }, (_, n) => read(n));
      await Promise.resolve();
      proxy.resetAll();
      const outcomes = await Promise.allSettled(reads);
      const values = outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason),
      );
      expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  test('under an open stream of a lease leaves nothing behind (B11)', async () => {
    const { db } = scratch;
    const lease = await db.acquire();
    const rows = lease.connection.stream('select n from generate_series(1, 5000) n');
    await rows.next();
    // Until the rows that come next have come: then nothing is under way, and the end of the stream fails.
    await sleep(100);
    proxy.resetAll();
    await sleep(50);
    await lease[Symbol.asyncDispose]();
    await expectAtRest(db);
  });

  test('is found out about where nothing comes any more, within the limit of the call (C40)', async () => {
    const { db } = scratch;
    expect(await db.value('select 1')).toBe(1);
    proxy.blackHole();
    using running = runningTime();
    const error = await thrownBy(db.value('select 2', [], { timeoutMs: 200 }));
    const tookMs = running.ms;
    proxy.restore();
    expect(error).toBeInstanceOf(MillpondError);
    expect(tookMs).toBeLessThan(1_500);
    const again = async () => {
      for (;;) {
        const value = await db.value('select 3', [], { timeoutMs: 1_000 }).catch(() => undefined);
        if (value === 3) return;
        await sleep(20);
      }
    };
    const recoveringAt = running.ms;
    await again();
    expect(running.ms - recoveringAt).toBeLessThan(8_000);
  });
});

test('a server that is not there is named, with the setting, and without the password (P3)', async () => {
  const url = 'postgres://nobody:hunter2@127.0.0.1:1/none';
  const error = (await thrownBy(openDatabase(url, { name: false, log: 'silent' }))) as Error;
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error.message).toMatch(/127\.0\.0\.1:1 .*nothing listens there \(host, port\)/);
  expect(`${error.stack}${String((error.cause as Error).stack)}`).not.toContain('hunter2');
});
