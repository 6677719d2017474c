import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Cache } from '../../../src/cache/index.ts';
import { FakeRedis, list, subscribed, type FakeAnswer } from '../../fixtures/fake-redis.ts';
import { cacheOn, expectRight, until, untilReady } from '../../fixtures/redis-caches.ts';
import { runningTime } from '../../fixtures/running-time.ts';
import { startRedis, type RedisServer } from '../../servers/redis.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

let server: RedisServer;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  server = await startRedis();
});
afterEach(() => {
  expect(unhandled).toEqual([]);
});
afterAll(async () => {
  process.off('unhandledRejection', note);
  await server.stop();
});

/** Where it is not the time that is tested: a busy machine may take longer than a cache should wait. */
const PATIENT = { cacheTimeoutMs: 5_000 };

/** Looks into Redis, past the cache. */
async function clientOf(url: string) {
  const client = createClient({ url });
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

/** Two caches that share values again: what one keeps the other finds, what one drops is gone in both. */
async function expectSharing(one: Cache, other: Cache): Promise<void> {
  await Promise.all([untilReady(one), untilReady(other)]);
  const key = `shared ${Math.random()}`;
  await until(async () => {
    await one.delete(key);
    await one.getOrSet(key, () => 'shared', { tags: ['tag'] });
    await sleep(5);
    return (await other.get(key)) === 'shared';
  });
  await one.invalidateTags('tag');
  // On a slow machine Redis may be told on a later connection.
  await until(() => one.stats().redis?.untold === 0);
  await until(() => other.peek(key) === undefined);
  expect(await other.get(key)).toBeUndefined();
}

describe('a Redis that is not there costs nobody anything but its values (C49, B15)', () => {
  test('when it is down from the start, and comes later', async () => {
    const late = await startRedis();
    onTestFinished(() => late.stop());
    await late.halt();
    const [one, other] = [cacheOn(late.url), cacheOn(late.url)];
    const told: string[] = [];
    for (const name of ['cache:down', 'cache:up'] as const) one.on(name, () => told.push(name));
    await expectRight(one, { count: 200 });
    await one.invalidateTags('a');
    await one.clear();
    await sleep(300);
    await expectRight(one);
    expect(one.stats().redis).toMatchObject({ state: expect.stringMatching('open|connecting'), untold: 1 });
    await late.start();
    await expectSharing(one, other);
    // By turns; more than once where a slow machine lost it again.
    expect(told.join(' ')).toMatch(/^cache:down cache:up( cache:down cache:up)*( cache:down)?$/);
  });

  test('when it is killed while it is used, and comes back empty', async () => {
    const killed = await startRedis();
    onTestFinished(() => killed.stop());
    const [one, other] = [cacheOn(killed.url), cacheOn(killed.url)];
    await Promise.all([untilReady(one), untilReady(other)]);
    const asked = Array.from({ length: 10 }, () => expectRight(one, { count: 10 }));
    await killed.halt();
    await Promise.all(asked);
    await expectRight(one);
    await killed.start();
    await expectSharing(one, other);
  });

  test('when it stands still: a few calls wait for it, then none does', async () => {
    const still = await startRedis();
    onTestFinished(() => still.stop());
    const cache = cacheOn(still.url, { cacheTimeoutMs: 80, breakMs: 60_000 });
    await untilReady(cache);
    process.kill(still.pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(still.pid, 'SIGCONT'));
    // More than may wait for answers: the rest does not wait at all, and nothing is queued for later.
    await expectRight(cache, { count: 2_000, limitMs: 2_500 });
    expect(cache.stats().redis?.state).toBe('open');
    const { failures } = cache.stats().redis!;
    using running = runningTime();
    for (let round = 0; round < 200; round += 1) await cache.getOrSet(`after ${round}`, () => round);
    expect(running.ms).toBeLessThan(200 * 80 * 0.1);
    expect(cache.stats().redis?.failures).toBe(failures);
  });

  test('when it stood still, and goes on', async () => {
    const still = await startRedis();
    onTestFinished(() => still.stop());
    const [one, other] = [cacheOn(still.url), cacheOn(still.url)];
    await Promise.all([untilReady(one), untilReady(other)]);
    process.kill(still.pid, 'SIGSTOP');
    await expectRight(one);
    await one.invalidateTags('while it stood still');
    process.kill(still.pid, 'SIGCONT');
    await expectSharing(one, other);
    await until(() => one.stats().redis?.untold === 0);
  });

  test('when the network swallows everything, and when it is back', async () => {
    const proxy = await startTcpProxy({ port: server.port });
    onTestFinished(() => proxy.close());
    const [one, other] = [cacheOn(proxy.urlFor(server.url)), cacheOn(server.url)];
    await untilReady(one);
    proxy.blackHole();
    for (let round = 0; round < 3; round += 1) await expectRight(one);
    proxy.restore();
    await expectSharing(one, other);
  });

  test('when its connections are reset again and again', async () => {
    const proxy = await startTcpProxy({ port: server.port });
    onTestFinished(() => proxy.close());
    const [one, other] = [cacheOn(proxy.urlFor(server.url), { breakMs: 10 }), cacheOn(server.url)];
    for (let round = 0; round < 10; round += 1) {
      proxy.resetAll();
      await expectRight(one, { count: 5 });
      await sleep(10);
    }
    await expectSharing(one, other);
  });
});

describe('a Redis in trouble (C49)', () => {
  test('without memory keeps nothing new, and still passes on what was changed', async () => {
    const full = await startRedis({ settings: { maxmemory: '3mb', 'maxmemory-policy': 'noeviction' } });
    onTestFinished(() => full.stop());
    const [one, other] = [cacheOn(full.url, PATIENT), cacheOn(full.url, PATIENT)];
    await Promise.all([untilReady(one), untilReady(other)]);
    await one.getOrSet('k', () => 'old', { tags: ['t'] });
    await until(async () => (await other.get('k')) === 'old');
    const client = await clientOf(full.url);
    const filled = await Promise.allSettled(
      Array.from({ length: 400 }, (_, index) => client.set(`fill ${index}`, 'x'.repeat(20_000))),
    );
    expect(filled.at(-1)!.status).toBe('rejected');
    await one.invalidateTags('t');
    await until(() => other.peek('k') === undefined);
    expect(await other.get('k')).toBeUndefined();
    await expectRight(one);
  });

  test('that throws values away, or everything, has nothing, and nothing old comes back', async () => {
    const [one, other] = [cacheOn(server.url, PATIENT), cacheOn(server.url, PATIENT)];
    await Promise.all([untilReady(one), untilReady(other)]);
    const client = await clientOf(server.url);
    for (const lose of [() => client.del('{test}:state'), () => client.flushAll()]) {
      await one.getOrSet('lost', () => 'old', { tags: ['t'] });
      await until(async () => (await client.keys('{test}:v:*')).length > 0);
      await one.invalidateTags('t');
      await lose();
      expect(await other.get('lost')).toBeUndefined();
      expect(await one.getOrSet('lost', () => 'new', { tags: ['t'] })).toBe('new');
      await one.clear();
    }
    await expectSharing(one, other);
  });

  test('whose keys hold something else has nothing, and is put right by the next change', async () => {
    const [one, other] = [cacheOn(server.url), cacheOn(server.url)];
    await Promise.all([untilReady(one), untilReady(other)]);
    const client = await clientOf(server.url);
    await client.set('{test}:state', 'not a hash');
    await expectRight(one, { count: 3 });
    await one.invalidateTags('t');
    await expectSharing(one, other);
    const [key] = await client.keys('{test}:v:*');
    if (key !== undefined) await client.set(key, 'not a hash');
    await expectRight(one, { count: 3 });
  });

  test('whose keys hold something else before anybody has come is put right at once', async () => {
    const client = await clientOf(server.url);
    await client.set('{spoilt}:state', 'not a hash');
    const redis = { ...PATIENT, prefix: 'spoilt' };
    const [one, other] = [cacheOn(server.url, redis), cacheOn(server.url, redis)];
    await expectSharing(one, other);
    const values = () => client.keys('{spoilt}:v:*');
    await until(async () => {
      await one.set('k', 'v');
      return (await values()).length > 0;
    });
    for (const value of await values()) await client.set(value, 'not a hash');
    expect(await other.getOrSet('k', () => 'loaded')).toBe('loaded');
    await until(async () =>
      (await Promise.all((await values()).map((key) => client.type(key)))).includes('hash'),
    );
    expect(one.stats().redis).toMatchObject({ state: 'ready', failures: 0 });
    expect(other.stats().redis).toMatchObject({ state: 'ready', failures: 0 });
  });

  test('that is loading its data, or wants a password, or knows no scripts, has nothing', async () => {
    const errors = ['LOADING Redis is loading the dataset in memory', 'NOAUTH Authentication required.'];
    for (const error of [
      ...errors,
      "ERR unknown command 'EVALSHA'",
      'READONLY You can’t write against a replica',
    ]) {
      await using fake = await FakeRedis.start(() => `-${error}\r\n`);
      const cache = cacheOn(fake.url);
      for (let round = 0; round < 3; round += 1) {
        await expectRight(cache);
        await cache.invalidateTags('t');
        await sleep(30);
      }
      await cache.close();
    }
  });
});

/** A healthy server for the way in, and `answer` from then on. */
function after(isOver: () => boolean, answer: FakeAnswer): FakeAnswer {
  return (command) => {
    if (isOver()) return answer(command);
    if (command[0] === 'SUBSCRIBE') return subscribed(command[1]!);
    return list('epoch', '1');
  };
}

describe('a Redis that lies (C49, C52)', () => {
  test('in bytes that are no answers at all changes no result', async () => {
    let isOver = false;
    const noise = (): Buffer => randomBytes(64);
    await using fake = await FakeRedis.start(after(() => isOver, noise));
    const cache = cacheOn(fake.url, { breakMs: 10 });
    await untilReady(cache);
    isOver = true;
    for (let round = 0; round < 10; round += 1) {
      await expectRight(cache);
      await cache.invalidateTags('t');
      await sleep(15);
    }
    expect(fake.commands).toBeGreaterThan(0);
    await cache.close();
  });

  test('in answers of every kind changes no result', async () => {
    const lies = [
      '+OK\r\n',
      ':7\r\n',
      '$-1\r\n',
      '*-1\r\n',
      '*0\r\n',
      list('epoch'),
      list('epoch', 'not a number'),
      list('epoch', '1', 't', '1 2 3', 'seal', '["u"]', 1_000),
      list('epoch', '1', 't', '1 2 3', 'seal', '{"a":', 'soon'),
      list('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
      `${list('epoch', '1')}${list('epoch', '1')}`,
      '*1\r\n*1\r\n*1\r\n:1\r\n',
      '$9999999999999\r\nx',
      '*3\r\n$7\r\nmessage\r\n$4\r\ntest\r\n$3\r\nlie\r\n',
    ];
    for (const lie of lies) {
      let isOver = false;
      await using fake = await FakeRedis.start(
        after(
          () => isOver,
          () => lie,
        ),
      );
      const cache = cacheOn(fake.url, { breakMs: 10 });
      await untilReady(cache);
      isOver = true;
      await expectRight(cache, { count: 8 });
      await cache.invalidateTags('t');
      await expectRight(cache, { count: 8 });
      await cache.close();
    }
  });

  test('about a value, in any part of it, has no such value', async () => {
    for (const secret of [undefined, 'a secret that nobody knows']) {
      const writer = cacheOn(server.url, secret === undefined ? PATIENT : { ...PATIENT, secret });
      await untilReady(writer);
      const client = await clientOf(server.url);
      await client.flushAll();
      const tampered: Record<string, string> = {
        data: '"poison"',
        labels: 'other',
        life: '99999 99999 99999',
        seal: 'x',
      };
      for (const [field, poison] of Object.entries(tampered)) {
        await writer.set(`k ${field}`, 'right', { tags: ['t'] });
        await until(async () => (await client.keys('{test}:v:*')).length === 1);
        const [key] = await client.keys('{test}:v:*');
        await client.hSet(key!, field, poison);
        const reader = cacheOn(server.url, secret === undefined ? PATIENT : { ...PATIENT, secret });
        await untilReady(reader);
        expect(await reader.getOrSet(`k ${field}`, () => 'loaded')).toBe('loaded');
        expect(reader.stats().redis?.rejected).toBe(1);
        await client.flushAll();
      }
    }
  });

  test('by giving one key’s value for another’s, or a forged one to who has a secret, has no such value', async () => {
    const secret = 'a secret that nobody knows';
    const [signing, plain] = [cacheOn(server.url, { ...PATIENT, secret }), cacheOn(server.url, PATIENT)];
    await Promise.all([untilReady(signing), untilReady(plain)]);
    const client = await clientOf(server.url);
    await client.flushAll();
    await signing.set('admin', { role: 'admin' });
    await until(async () => (await client.keys('{test}:v:*')).length === 1);
    const [admin] = await client.keys('{test}:v:*');
    await signing.set('guest', { role: 'guest' });
    await until(async () => (await client.keys('{test}:v:*')).length === 2);
    const guest = (await client.keys('{test}:v:*')).find((key) => key !== admin)!;
    await client.copy(admin!, guest, { REPLACE: true });
    const other = cacheOn(server.url, { ...PATIENT, secret });
    await untilReady(other);
    expect(await other.get('guest')).toBeUndefined();
    expect(await other.get('admin')).toEqual({ role: 'admin' });
    await plain.set('forged', { role: 'admin' });
    await until(async () => (await client.keys('{test}:v:*')).length === 3);
    expect(await other.get('forged')).toBeUndefined();
    expect(other.stats().redis?.rejected).toBe(2);
  });
});
