import { createHmac, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { answerErrors, jwtAuth, userOf } from '../../../src/hono/index.ts';

const ISSUER = 'https://issuer.test';
const old = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const young = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });

let issuer: Server;
let url: string;
let fetches: number;
/** What the issuer answers: a key set, or a text. */
let answer: { readonly keys: readonly JWK[] } | string;
let lines: unknown[];

beforeEach(async () => {
  [fetches, lines] = [0, []];
  answer = { keys: [await jwkOf(old.publicKey, 'old')] };
  issuer = createServer((_request, response) => {
    fetches += 1;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  issuer.listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
});

afterEach(async () => {
  vi.useRealTimers();
  issuer.closeAllConnections();
  if (issuer.listening) await new Promise((resolve) => issuer.close(resolve));
});

async function jwkOf(key: KeyObject, kid: string, more: JWK = {}): Promise<JWK> {
  return { ...(await exportJWK(key)), kid, ...more };
}

function app(): Hono {
  const write = (...line: unknown[]) => void lines.push(line);
  const made = new Hono();
  made.onError(answerErrors({ log: { error: write, warn: write } }));
  const rules = { issuer: ISSUER, audience: 'api', algorithms: ['RS256'] as const };
  made.use(jwtAuth({ ...rules, jwksUrl: url, log: { debug: write } }));
  made.get('/', (context) => context.text(userOf(context)!.id));
  return made;
}

function signed(key: KeyObject, kid?: string): Promise<string> {
  const token = new SignJWT({ sub: 'ada' }).setIssuer(ISSUER).setAudience('api').setExpirationTime('1h');
  return token.setProtectedHeader({ alg: 'RS256', ...(kid === undefined ? {} : { kid }) }).sign(key);
}

async function statusOf(of: Hono, token: string): Promise<number> {
  const response = await of.request('/', { headers: { Authorization: `Bearer ${token}` } });
  const body = await response.text();
  // Whatever went wrong: nothing says where the keys come from, and no line holds a token.
  expect(body).not.toContain('127.0.0.1');
  expect(JSON.stringify(lines)).not.toContain(token.split('.')[2]);
  return response.status;
}

describe('published keys (C68, C69)', () => {
  test('are fetched once for all who wait, and a storm of made-up key names fetches no more', async () => {
    const made = app();
    const token = await signed(old.privateKey, 'old');
    const statuses = await Promise.all(Array.from({ length: 50 }, () => statusOf(made, token)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(fetches).toBe(1);
    const forged = await Promise.all(
      Array.from({ length: 50 }, () => signed(young.privateKey, randomUUID())),
    );
    for (const one of forged) expect(await statusOf(made, one)).toBe(401);
    expect(fetches).toBe(1);
    expect(await statusOf(made, token)).toBe(200);
  });

  test('may be exchanged: a new name is looked for, and what is published no longer is refused', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const made = app();
    expect(await statusOf(made, await signed(old.privateKey, 'old'))).toBe(200);
    answer = { keys: [await jwkOf(young.publicKey, 'young')] };
    vi.setSystemTime(Date.now() + 31_000);
    expect(await statusOf(made, await signed(young.privateKey, 'young'))).toBe(200);
    expect(await statusOf(made, await signed(old.privateKey, 'old'))).toBe(401);
    expect(await statusOf(made, await signed(old.privateKey, 'young'))).toBe(401);
    expect(fetches).toBe(2);
  });

  test.each<[string, () => Promise<readonly JWK[]>]>([
    ['none', async () => []],
    ['one for encryption', async () => [await jwkOf(old.publicKey, 'old', { use: 'enc' })]],
    ['one of another algorithm', async () => [await jwkOf(old.publicKey, 'old', { alg: 'PS256' })]],
    ['one that is too short', async () => [await jwkOf(weak.publicKey, 'old')]],
    ['one without its numbers', async () => [{ kty: 'RSA', kid: 'old' }]],
    ['one of another curve', async () => [{ kty: 'EC', crv: 'P-256', kid: 'old', x: 'AA', y: 'AA' }]],
    ['another of the same name', async () => [await jwkOf(young.publicKey, 'old')]],
    ['no objects', async () => [null, 5, 'old'] as unknown as JWK[]],
  ])('of which there is %s let nobody in', async (_name, keys) => {
    answer = { keys: await keys() };
    expect([401, 503]).toContain(await statusOf(app(), await signed(old.privateKey, 'old')));
  });

  test('are no secrets: neither one that is published, nor a public one taken for one', async () => {
    const secret = Buffer.from('a secret of at least thirty-two bytes');
    const shared = { kty: 'oct', kid: 'old', alg: 'HS256', k: secret.toString('base64url') };
    const pem = old.publicKey.export({ type: 'spki', format: 'pem' });
    for (const [key, keys] of [
      [secret, [shared]],
      [pem, [await jwkOf(old.publicKey, 'old')]],
    ] as const) {
      answer = { keys };
      for (const alg of ['HS256', 'RS256', 'none']) {
        const head = Buffer.from(JSON.stringify({ alg, kid: 'old' })).toString('base64url');
        const claims = { iss: ISSUER, aud: 'api', sub: 'root', exp: Math.floor(Date.now() / 1_000) + 600 };
        const text = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
        const token = `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
        expect(await statusOf(app(), token), alg).toBe(401);
      }
    }
  });

  test.each<[string, () => void]>([
    ['cannot be reached', () => void issuer.close()],
    ['answers with a page', () => void (answer = '<html>')],
  ])('are the service’s trouble where the issuer %s: 503, one attempt for all', async (_name, spoil) => {
    spoil();
    const made = app();
    const token = await signed(old.privateKey, 'old');
    const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(made, token)));
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(await statusOf(made, token)).toBe(503);
    expect(fetches).toBeLessThanOrEqual(1);
  });

  test('serve on when the issuer goes away, and are asked for again once it is back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const made = app();
    const token = () => signed(old.privateKey, 'old');
    expect(await statusOf(made, await token())).toBe(200);
    answer = 'gone';
    vi.setSystemTime(Date.now() + 1_800_000);
    expect(await statusOf(made, await token())).toBe(200);
    vi.setSystemTime(Date.now() + 1_900_000);
    expect(await statusOf(made, await token())).toBe(503);
    answer = { keys: [await jwkOf(old.publicKey, 'old')] };
    vi.setSystemTime(Date.now() + 6_000);
    expect(await statusOf(made, await token())).toBe(200);
  });
});
