import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/async/index.ts';
import { RedisTier } from '../../../src/cache/redis-tier.ts';
import { runningTime } from '../../fixtures/running-time.ts';
import { cacheOn, until, untilReady } from '../../fixtures/redis-caches.ts';
import { startRedis, type RedisServer } from '../../servers/redis.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

let prefixes = 0;
/** Two caches as in two processes, with names of their own in Redis. */
async function pair(options: Parameters<typeof cacheOn>[2] = {}) {
  prefixes += 1;
  // A busy machine may take longer than a cache should wait.
  const redis = { prefix: `pair${prefixes}`, cacheTimeoutMs: 5_000 };
  const [one, other] = [cacheOn(server.url, redis, options), cacheOn(server.url, redis, options)];
  await Promise.all([untilReady(one), untilReady(other)]);
  return [one, other] as const;
}

describe('through Redis (M10)', () => {
  test('what one process loaded the others need not load, whatever kind of value it is', async () => {
    const [one, other] = await pair();
    const value = {
      at: new Date(5),
      big: 2n ** 70n,
      bytes: new Uint8Array([1, 2]),
      none: undefined,
      nan: NaN,
    };
    await one.getOrSet(['k', 1], () => value);
    await until(async () => (await other.get(['k', 1])) !== undefined);
    expect(await other.getOrSet(['k', 1], () => 'loaded')).toEqual(value);
    expect(await other.getOrSet(['k', '1'], () => 'loaded')).toBe('loaded');
    expect(other.stats()).toMatchObject({ redisHits: 1, redis: { hits: 1 } });
  });

  test('what one process drops is dropped in all: by tag, by table, by key, and everything', async () => {
    const [one, other] = await pair();
    for (const drop of [
      () => one.invalidateTags('t'),
      () => one.invalidateTables('users'),
      () => one.delete('k'),
      () => one.set('k', 'set'),
      () => one.clear(),
    ]) {
      const load = () => other.getOrSet<string>('k', () => 'kept', { tags: ['t'], tables: ['users'] });
      await other.delete('k');
      await load();
      await sleep(10);
      expect(other.peek('k')).toBe('kept');
      await drop();
      await until(() => other.peek('k') !== 'kept');
      expect(await other.get('k')).not.toBe('kept');
    }
  });

  test('a load that began before another process’s change is kept nowhere (C51, B15)', async () => {
    const [one, other] = await pair();
    const load = Promise.withResolvers<string>();
    const loading = Promise.withResolvers<void>();
    const asked = one.getOrSet('k', () => (loading.resolve(), load.promise), { tags: ['t'] });
    await loading.promise;
    await other.invalidateTags('t');
    load.resolve('old');
    expect(await asked).toBe('old');
    // The message of the change may be on its way.
    await until(() => one.peek('k') === undefined);
    await sleep(30);
    expect([one.peek('k'), await other.get('k'), await one.get('k')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('Redis itself refuses what was loaded before a change, however late it comes (C51)', async () => {
    const announce = { has: () => false, emit: () => undefined };
    const parts = { name: 'late', announce, clock: systemClock, random: Math.random };
    const [late, other] = [
      new RedisTier({ url: server.url, cacheTimeoutMs: 5_000 }, parts),
      new RedisTier({ url: server.url, cacheTimeoutMs: 5_000 }, parts),
    ];
    for (const tier of [late, other]) {
      tier.start(() => undefined);
      onTestFinished(() => tier.close());
      await until(() => tier.stats().state === 'ready');
    }
    const value = { value: 'old', labels: ['gt'], freshMs: 1_000, staleMs: 1_000, goneMs: 1_000 };
    const { ticket } = await late.read('k');
    await other.publish(['gother']);
    expect(await late.store('k', value, ticket!)).toBe(true);
    await other.publish(['gt']);
    expect(await late.store('k', value, ticket!)).toBe(false);
    expect((await other.read('k')).found).toBeUndefined();
    const { ticket: newer } = await late.read('k');
    expect(await late.store('k', value, newer!)).toBe(true);
    await other.publish('everything');
    expect(await late.store('k', value, newer!)).toBe(false);
    expect((await other.read('k')).found).toBeUndefined();
  });

  test('an old value is shared with what is left of its time, and never refreshed by sharing it', async () => {
    const [one, other] = await pair({ ttlMs: 150, ttlJitter: 0 });
    using running = runningTime();
    let [tries, beganMs] = [0, 0];
    // Again where it was too old already when it was looked for.
    await until(async () => {
      tries += 1;
      beganMs = running.ms;
      await one.getOrSet(tries, () => 'kept');
      await sleep(5);
      return (await other.get(tries)) === 'kept';
    });
    await until(() => other.peek(tries) === undefined);
    expect(await other.get(tries)).toBeUndefined();
    // A busy machine may look late, never early: the time began when it was first kept.
    expect(running.ms - beganMs).toBeLessThan(2_000);
  });

  test('an old value of another process stands in where loading fails, within its grace', async () => {
    const options = { ttlMs: 20, graceMs: 60_000, ttlJitter: 0 };
    const [one, other] = await pair(options);
    await one.getOrSet('k', () => 'old');
    await sleep(60);
    const failing = () => Promise.reject<string>(new Error('down'));
    const standIn = () => other.getOrSet('k', failing).catch(() => undefined);
    // It is sent behind the caller's back.
    await until(async () => (await standIn()) === 'old');
    await expect(other.getOrSet('other', failing)).rejects.toThrow('down');
  });

  test('a process that was cut off for a while trusts nothing that it kept meanwhile', async () => {
    const proxy = await startTcpProxy({ port: server.port });
    onTestFinished(() => proxy.close());
    const redis = { prefix: 'cutoff', breakMs: 20, cacheTimeoutMs: 5_000 };
    const [one, other] = [cacheOn(server.url, redis), cacheOn(proxy.urlFor(server.url), redis)];
    await Promise.all([untilReady(one), untilReady(other)]);
    await other.getOrSet('k', () => 'kept', { tags: ['t'] });
    await proxy.refuse();
    proxy.resetAll();
    await until(() => other.stats().redis?.state !== 'ready');
    await one.invalidateTags('t');
    expect(other.peek('k')).toBe('kept');
    await proxy.accept();
    await untilReady(other);
    expect(other.peek('k')).toBeUndefined();
    expect(await other.get('k')).toBeUndefined();
  });

  test('a change that could not be sent is not read back by the process that made it, and is sent later', async () => {
    const proxy = await startTcpProxy({ port: server.port });
    onTestFinished(() => proxy.close());
    const redis = { prefix: 'untold', breakMs: 20, cacheTimeoutMs: 5_000 };
    const [one, other] = [cacheOn(proxy.urlFor(server.url), redis), cacheOn(server.url, redis)];
    await Promise.all([untilReady(one), untilReady(other)]);
    await other.getOrSet('k', () => 'old', { tags: ['t'] });
    await until(async () => (await one.get('k')) === 'old');
    await proxy.refuse();
    proxy.resetAll();
    await one.invalidateTags('t');
    expect(await one.getOrSet('k', () => 'new', { tags: ['t'] })).toBe('new');
    await proxy.accept();
    await until(() => other.peek('k') === undefined);
    await until(() => one.stats().redis?.untold === 0);
    expect(await other.get('k')).toBeUndefined();
  });

  test('values that are too large, or have no form outside of a process, stay in memory', async () => {
    const [one, other] = await pair();
    await one.getOrSet('large', () => 'x'.repeat(2_000_000));
    await one.getOrSet('work', () => ({ work: () => 1 }));
    await sleep(30);
    expect([await other.get('large'), await other.get('work'), one.stats().entries]).toEqual([
      undefined,
      undefined,
      2,
    ]);
  });

  test('a closed cache has left, and its process may end', async () => {
    const [one] = await pair();
    await one.close();
    expect(one.stats().redis?.state).toBe('closed');
    expect(await one.getOrSet('k', () => 1)).toBe(1);
  });
});
