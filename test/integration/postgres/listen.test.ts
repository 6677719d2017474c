import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ConnectionError, UsageError, type ListenMessage } from '../../../src/index.ts';
import { openPostgresAt, openPostgresScratch } from '../../fixtures/scratch-postgres.ts';
import { expectAtRest } from '../../fixtures/scratch-database.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

/** Messages as they come, in short: a payload, or the reason of a gap. */
function inShort(message: ListenMessage): string {
  return message.kind === 'notification' ? message.payload : `gap: ${message.reason}`;
}

const KILL_LISTENERS = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and query like 'listen%'`;

describe('listen', () => {
  test('gives the notifications of its channel, in order, to a loop', async () => {
    const db = await openPostgresScratch('');
    await using jobs = await db.listen('Jobs "x"');
    await db.transaction(async () => {
      for (const payload of ['a', 'b', 'c']) await db.run('select pg_notify($1, $2)', ['Jobs "x"', payload]);
    });
    await db.run('select pg_notify($1, $2)', ['other', 'not for us']);
    await db.run('select pg_notify($1, $2)', ['Jobs "x"', 'd']);
    const heard: string[] = [];
    for await (const message of jobs) {
      heard.push(inShort(message));
      if (heard.length === 4) break;
    }
    expect(heard).toEqual(['a', 'b', 'c', 'd']);
    await expectAtRest(db);
  });

  test('gives them to a handler, whose failure breaks nothing', async () => {
    const db = await openPostgresScratch('');
    const errors: string[] = [];
    db.on('listen:error', ({ error }) => errors.push(error.message));
    const heard: string[] = [];
    const listening = await db.listen('jobs', (message) => {
      heard.push(inShort(message));
      if (heard.length === 1) throw new Error('of the handler');
    });
    await db.run("notify jobs, '1'");
    await db.run("notify jobs, '2'");
    await expect.poll(() => heard).toEqual(['1', '2']);
    expect(errors).toEqual(['of the handler']);
    await listening.close();
    await db.run("notify jobs, '3'");
    await sleep(50);
    expect(heard).toEqual(['1', '2']);
  });

  test('survives the loss of its connection, and reports the gap (C37)', async () => {
    const db = await openPostgresScratch('');
    const gaps: string[] = [];
    db.on('listen:gap', ({ channel, reason }) => gaps.push(`${channel} ${reason}`));
    await using jobs = await db.listen('jobs');
    for (let round = 0; round < 3; round++) {
      await db.all(KILL_LISTENERS);
      expect(inShort((await jobs.next()).value!)).toBe('gap: reconnected');
      await db.run('select pg_notify($1, $2)', ['jobs', `after ${round}`]);
      expect(inShort((await jobs.next()).value!)).toBe(`after ${round}`);
    }
    expect(gaps).toEqual(Array(3).fill('jobs reconnected'));
    await expectAtRest(db);
  });

  test('finds a link that went silent by its ping (C39)', async () => {
    const url = await sharedPostgresDatabase();
    await using proxy = await startTcpProxy({ port: Number(new URL(url).port) });
    const options = { pool: { keepaliveMs: 200, createTimeoutMs: 300 } };
    const db = await openPostgresAt(proxy.urlFor(url), '', options);
    const direct = await openPostgresAt(url, '');
    await using jobs = await db.listen('jobs');
    proxy.blackHole();
    await sleep(800);
    await direct.run("notify jobs, 'lost'");
    proxy.restore();
    expect(inShort((await jobs.next()).value!)).toBe('gap: reconnected');
    await direct.run("notify jobs, 'heard'");
    expect(inShort((await jobs.next()).value!)).toBe('heard');
  });

  test('goes on and reports its gap, whoever opens the connection again (C37)', async () => {
    const url = await sharedPostgresDatabase();
    await using proxy = await startTcpProxy({ port: Number(new URL(url).port) });
    const db = await openPostgresAt(proxy.urlFor(url), '');
    const heard: string[] = [];
    await using _ = await db.listen('jobs', (message) => void heard.push(inShort(message)));
    const lost = () => new Promise((resolve) => void db.on('listen:error', resolve));
    const first = lost();
    await proxy.refuse();
    proxy.resetAll();
    await first;
    await expect(db.listen('in vain')).rejects.toThrow(ConnectionError);
    await proxy.accept();
    await expect.poll(() => heard).toEqual(['gap: reconnected']);
    const second = lost();
    proxy.resetAll();
    await second;
    await using others = await db.listen('others');
    await expect.poll(() => heard).toEqual(['gap: reconnected', 'gap: reconnected']);
    await db.run("notify others, '1'");
    expect((await others.next()).value).toMatchObject({ payload: '1' });
    await db.run("notify jobs, '2'");
    await expect.poll(() => heard).toHaveLength(3);
    await expectAtRest(db);
  });

  test('keeps no connection that is opened again for one who has left meanwhile', async () => {
    const url = await sharedPostgresDatabase();
    const looking = await openPostgresAt(url, '');
    await using proxy = await startTcpProxy({ port: Number(new URL(url).port) });
    const named = Object.assign(new URL(proxy.urlFor(url)), { search: '?application_name=leaving' });
    const db = await openPostgresAt(named.href, '');
    const jobs = await db.listen('jobs');
    const lost = new Promise((resolve) => void db.on('listen:error', resolve));
    proxy.delay(50);
    proxy.resetAll();
    await lost;
    await sleep(150);
    await jobs.close();
    await sleep(1_000);
    const sessions = "select count(*)::int from pg_stat_activity where application_name = 'leaving'";
    const notOfThePool = async () => Number(await looking.value(sessions)) - db.stats().pool.size;
    await expect.poll(notOfThePool).toBe(0);
  });

  test('keeps as many unread messages as it says, and tells when there were more', async () => {
    const db = await openPostgresScratch('');
    await using jobs = await db.listen('jobs', undefined, { maxWaiting: 10 });
    const all = await db.listen('jobs');
    await db.run("select pg_notify('jobs', i::text) from generate_series(1, 25) i");
    // What has come to one listener has come to the other.
    for await (const message of all) if (inShort(message) === '25') break;
    const heard: string[] = [];
    for await (const message of jobs) {
      heard.push(inShort(message));
      if (heard.at(-1) === '25') break;
    }
    expect(heard[0]).toBe('gap: overflow');
    expect(heard.length).toBeLessThanOrEqual(11);
  });

  test('ends with its database, and takes no name that the server would cut off', async () => {
    const db = await openPostgresScratch('');
    const jobs = await db.listen('jobs');
    const next = jobs.next();
    await expect(db.listen('x'.repeat(64))).rejects.toThrow(UsageError);
    await expect(db.listen('')).rejects.toThrow(UsageError);
    await db.close();
    expect(await next).toEqual({ done: true, value: undefined });
    await expect(db.listen('jobs')).rejects.toThrow(ConnectionError);
  });

  test('rejects when there is no server, and listens when there is one again', async () => {
    const url = await sharedPostgresDatabase();
    await using proxy = await startTcpProxy({ port: Number(new URL(url).port) });
    const db = await openPostgresAt(proxy.urlFor(url), '');
    await proxy.refuse();
    await expect(db.listen('jobs')).rejects.toThrow(ConnectionError);
    await proxy.accept();
    await using jobs = await db.listen('jobs');
    await db.run("notify jobs, 'heard'");
    expect(inShort((await jobs.next()).value!)).toBe('heard');
  });

  test('two listeners of a channel share it, and the last one leaves it', async () => {
    const db = await openPostgresScratch('');
    const first = await db.listen('jobs');
    const second = await db.listen('jobs');
    await first.close();
    await db.run("notify jobs, 'still'");
    expect(inShort((await second.next()).value!)).toBe('still');
    await second.close();
    const listeners =
      "select count(*)::int from pg_stat_activity where query like '%listen%' and pid <> pg_backend_pid()";
    await expect.poll(() => db.value(`${listeners} and datname = current_database()`)).toBe(0);
  });
});
