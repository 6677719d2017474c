import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  answerErrors,
  jwtAuth,
  rateLimit,
  RedisWindow,
  SlidingWindow,
  type RateLimitOptions,
  type RateLimitStore,
  type RedisScripts,
} from '../../../src/hono/index.ts';
import { ask } from '../../fixtures/node-request.ts';
import { scaled } from '../../fixtures/scale.ts';
import { startRedis, type RedisServer } from '../../servers/redis.ts';
import { serve } from './service.ts';

/** The window goes on while a slow machine makes its requests. */
const SOON_FREE = /^"api";r=0;t=(60|5\d)$/;

function limited(options: Partial<RateLimitOptions> = {}): Hono {
  const app = new Hono();
  app.onError(answerErrors());
  app.use(rateLimit({ limit: 3, windowMs: 60_000, ...options }));
  app.get('/', (context) => context.text('served'));
  return app;
}

describe('a rate limit (S7, C65)', () => {
  test('answers 429, with what a client needs to know, in every answer', async () => {
    const service = await serve((app) => void app.get('/', (context) => context.text('served')), {
      rateLimit: { limit: 2, windowMs: 60_000, name: 'api' },
    });
    const answers = [await fetch(service.url), await fetch(service.url), await fetch(service.url)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      '"api";r=1;t=60',
      expect.stringMatching(SOON_FREE),
      expect.stringMatching(SOON_FREE),
    ]);
    expect(answers.map(({ headers }) => headers.get('ratelimit-policy'))).toEqual(
      Array(3).fill('"api";q=2;w=60'),
    );
    expect(answers[2]!.headers.get('retry-after')).toMatch(/^(60|5\d)$/);
    expect(await answers[2]!.json()).toMatchObject({ status: 429, title: 'Too Many Requests' });
    // Health is for balancers, which ask all the time.
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  });

  test('one client has one place, whatever it invents; two have two', async () => {
    const trustedProxies = ['10.0.0.0/8'];
    const app = limited({ trustedProxies, limit: 1 });
    const statusOf = async (address: string, forwarded?: string): Promise<number> => {
      const headers = forwarded === undefined ? [] : [['X-Forwarded-For', forwarded] as const];
      return (await ask(app, { address, headers })).status;
    };
    expect(await statusOf('192.0.2.1')).toBe(200);
    const tries = scaled(300);
    let passed = 0;
    for (let count = 0; count < tries; count += 1) {
      const invented = `${count % 256}.${count >> 8}.0.1`;
      if ((await statusOf('192.0.2.1', invented)) === 200) passed += 1;
      if ((await statusOf('::ffff:192.0.2.1', invented)) === 200) passed += 1;
      if ((await statusOf('10.0.0.1', `${invented}, 192.0.2.1`)) === 200) passed += 1;
      if ((await statusOf('10.0.0.1', `${invented}, 192.0.2.1:${1_024 + count}, 10.9.9.9`)) === 200)
        passed += 1;
      const address = `2001:db8:0:1:${count.toString(16)}::1`;
      if ((await statusOf(address)) === 200) passed += 1;
    }
    // One place for the whole /64.
    expect(passed).toBe(1);
    expect(await statusOf('192.0.2.2')).toBe(200);
    expect(await statusOf('::ffff:192.0.2.3')).toBe(200);
    expect(await statusOf('10.0.0.1', '192.0.2.4')).toBe(200);
    expect(await statusOf('2001:db8:0:2::1')).toBe(200);
    expect(await statusOf('10.0.0.1')).toBe(200);
  });

  test('by a key of the application, of any length; without one there is no limit', async () => {
    const app = limited({ limit: 1, key: (context) => context.req.header('x-key') });
    const statusWith = async (key?: string) =>
      (await ask(app, { headers: key === undefined ? [] : [['X-Key', key]] })).status;
    const long = 'k'.repeat(5_000);
    expect([await statusWith('a'), await statusWith('a'), await statusWith('b')]).toEqual([200, 429, 200]);
    expect([await statusWith(long), await statusWith(long), await statusWith(`${long}2`)]).toEqual([
      200, 429, 200,
    ]);
    expect([await statusWith(), await statusWith()]).toEqual([200, 200]);
  });

  test('wrong options are refused at the start', () => {
    expect(() => rateLimit({} as RateLimitOptions)).toThrow(/rateLimit\.limit[^]*rateLimit\.windowMs/);
    const wrong = { limit: 0, windowMs: 1.5, trustedProxies: ['localhost'], name: 'a b', key: 'ip' };
    expect(() => rateLimit(wrong as never)).toThrow(/limit[^]*windowMs[^]*trustedProxies[^]*name|5 faults/);
  });
});

describe('in Redis, for all processes together (C65)', () => {
  let redis: RedisServer;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.stop());

  async function client(): Promise<RedisScripts> {
    const one = createClient({ url: redis.url, socket: { reconnectStrategy: 50 } });
    one.on('error', () => undefined);
    await one.connect();
    onTestFinished(() => one.destroy());
    return one;
  }

  test('two processes allow as much as one, at the edge of the window too', async () => {
    const stores = [new RedisWindow(await client()), new RedisWindow(await client())];
    const policy = { limit: 10, windowMs: 300 };
    const allowed: { readonly fromMs: number; readonly toMs: number }[] = [];
    const take = async (store: RedisWindow): Promise<void> => {
      const fromMs = performance.now();
      const taken = await store.take('one', policy);
      if (taken.allowed) allowed.push({ fromMs, toMs: performance.now() });
    };
    const until = performance.now() + 1_200;
    const deadline = until + 20_000;
    const isOver = (): boolean => performance.now() > until && allowed.length > 2 * policy.limit;
    while (!isOver() && performance.now() < deadline) {
      await Promise.all(Array.from({ length: 6 }, (_, at) => take(stores[at % 2]!)));
      await sleep(15);
    }
    // A call that began and ended within a stretch of time was certainly counted in it.
    const within = (start: number): number =>
      allowed.filter(({ fromMs, toMs }) => fromMs >= start && toMs < start + policy.windowMs).length;
    expect(Math.max(...allowed.map(({ fromMs }) => within(fromMs)))).toBeLessThanOrEqual(policy.limit);
    expect(allowed.length).toBeGreaterThan(2 * policy.limit);
  });

  test('says the same as the memory, call by call', async () => {
    const store = new RedisWindow(await client(), 'same:');
    const memory = new SlidingWindow();
    const policy = { limit: 4, windowMs: 60_000 };
    for (let count = 0; count < 8; count += 1) {
      const [there, here] = [await store.take('k', policy), memory.take('k', policy)];
      expect([there.allowed, there.remaining]).toEqual([here.allowed, here.remaining]);
      expect(Math.abs(there.freeInMs - here.freeInMs)).toBeLessThan(5_000);
    }
  });

  test('a store that is dead, slow or lies costs its limit once, and the limit still holds', async () => {
    const lines: object[] = [];
    const log = { warn: (fields: object) => void lines.push(fields) };
    const stores: Record<string, RateLimitStore> = {
      dead: { take: () => Promise.reject(new Error('gone')) },
      slow: { take: () => new Promise(() => undefined) },
      lying: new RedisWindow({ eval: async () => ['yes', null] }),
      throwing: {
        take: () => {
          throw new Error('broken');
        },
      },
    };
    let asked = 0;
    for (const [name, store] of Object.entries(stores)) {
      const before = asked;
      const counted: RateLimitStore = {
        take: (key, policy) => {
          asked += 1;
          return store.take(key, policy);
        },
      };
      const app = limited({ store: counted, storeTimeoutMs: 50, log });
      const statuses = [];
      for (let count = 0; count < 5; count += 1) statuses.push((await ask(app)).status);
      expect(statuses, name).toEqual([200, 200, 200, 429, 429]);
      // Once, unless the machine stands still for the second that it is left alone.
      expect(asked - before, name).toBeLessThan(5);
    }
    expect(lines).toHaveLength(asked);
  });

  test('one that ends and comes back counts again', async () => {
    // Long enough that the first one is certainly counted in Redis, and not here.
    const app = limited({ store: new RedisWindow(await client(), 'back:'), storeTimeoutMs: 1_000 });
    expect((await ask(app)).status).toBe(200);
    await redis.halt();
    for (let count = 0; count < 3; count += 1) expect((await ask(app)).status).toBe(200);
    expect((await ask(app)).status).toBe(429);
    await redis.start();
    // Here there is no more room for a minute: only Redis can say yes.
    await expect.poll(async () => (await ask(app)).status).toBe(200);
  });
});

describe('keys that an issuer publishes (C69)', () => {
  let fetches: number;
  let answer: RequestListener;
  let url: string;
  beforeEach(async () => {
    fetches = 0;
    const server = createHttpServer((request, response) => {
      fetches += 1;
      return answer(request, response);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  });

  interface Key {
    readonly jwk: JWK;
    readonly sign: CryptoKey;
  }

  async function makeKey(kid: string): Promise<Key> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    return { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }, sign: privateKey };
  }

  function publish(...keys: readonly Key[]): void {
    answer = (_request, response) => response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  }

  function tokenBy({ sign, jwk }: Key, kid: string | undefined = jwk.kid): Promise<string> {
    return new SignJWT({ iss: 'issuer', aud: 'api', sub: 'ada' })
      .setProtectedHeader({ alg: 'ES256', ...(kid === undefined ? {} : { kid }) })
      .setExpirationTime('5m')
      .sign(sign);
  }

  function guarded(): (token: string) => Promise<number> {
    const app = new Hono();
    app.onError(answerErrors());
    app.use(jwtAuth({ issuer: 'issuer', audience: 'api', algorithms: ['ES256'], jwksUrl: url }));
    app.get('/', (context) => context.text('served'));
    return async (token) =>
      (await app.request('/', { headers: { Authorization: `Bearer ${token}` } })).status;
  }

  test('are fetched once for all who wait, and kept', async () => {
    const key = await makeKey('1');
    publish(key);
    const statusOf = guarded();
    const token = await tokenBy(key);
    const statuses = await Promise.all(Array.from({ length: 50 }, () => statusOf(token)));
    expect([new Set(statuses), fetches]).toEqual([new Set([200]), 1]);
  });

  test('a storm of tokens with unknown keys fetches no more', async () => {
    const [key, foreign] = [await makeKey('1'), await makeKey('2')];
    publish(key);
    const statusOf = guarded();
    expect(await statusOf(await tokenBy(key))).toBe(200);
    for (let count = 0; count < 50; count += 1) {
      expect(await statusOf(await tokenBy(foreign, `kid ${count}`))).toBe(401);
    }
    expect(await statusOf(await tokenBy(foreign, '1'))).toBe(401);
    expect(fetches).toBe(1);
  });

  test('that cannot be had are the service`s trouble: 503, at once for all but the first', async () => {
    const key = await makeKey('1');
    const wrong: Record<string, RequestListener> = {
      down: (request) => request.socket.destroy(),
      failing: (_request, response) => response.writeHead(500).end(),
      elsewhere: (_request, response) => response.writeHead(302, { Location: url }).end(),
      huge: (_request, response) => response.end('x'.repeat(10_000_000)),
      other: (_request, response) => response.end('<html>'),
    };
    for (const [name, listener] of Object.entries(wrong)) {
      answer = listener;
      fetches = 0;
      const statusOf = guarded();
      const token = await tokenBy(key);
      for (let count = 0; count < 10; count += 1) expect(await statusOf(token), name).toBe(503);
      expect(fetches, name).toBe(1);
    }
  });

  test('that come slowly are waited for, but not for long', async () => {
    answer = () => undefined;
    const token = await tokenBy(await makeKey('1'));
    const waitedMs = async (): Promise<number> => {
      const statusOf = guarded();
      const startedAt = performance.now();
      expect(await Promise.all([statusOf(token), statusOf(token)])).toEqual([503, 503]);
      return performance.now() - startedAt;
    };
    // Again where the machine stood still meanwhile.
    await expect.poll(waitedMs).toBeLessThan(4_500);
  });
});
