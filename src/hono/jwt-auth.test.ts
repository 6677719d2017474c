import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Hono } from 'hono';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../errors/index.ts';
import { answerErrors } from './answer-errors.ts';
import { jwtAuth } from './jwt-auth.ts';
import type { JwtAuthOptions } from './jwt-options.ts';
import { requireRole, userOf } from './user.ts';

const SECRET = 'a secret of at least thirty-two bytes';
const OPTIONS: JwtAuthOptions = {
  issuer: 'https://issuer.test',
  audience: 'api',
  algorithms: ['HS256'],
  secret: SECRET,
};
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);
const claims = (): Record<string, unknown> => ({
  iss: 'https://issuer.test',
  aud: 'api',
  sub: 'ada',
  exp: nowSeconds() + 600,
});

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** Signed as it is, right or wrong: libraries refuse to make most of what is refused here. */
function forge(payload: unknown, header: unknown = { alg: 'HS256' }, secret: string = SECRET): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

let lines: unknown[];
beforeEach(() => void (lines = []));

function appWith(options: Partial<JwtAuthOptions> = {}): Hono {
  const write = (...line: unknown[]) => void lines.push(line);
  const log = { debug: write, error: write };
  const app = new Hono();
  app.onError(answerErrors({ log: { error: write, warn: write } }));
  app.use(jwtAuth({ ...OPTIONS, log, ...options }));
  app.get('/', (context) => context.json(userOf(context) ?? 'nobody'));
  app.get('/admin', requireRole('admin', 'root'), (context) => context.text('welcome'));
  return app;
}

function get(app: Hono, authorization?: string, path = '/'): Response | Promise<Response> {
  return app.request(path, { headers: authorization === undefined ? {} : { Authorization: authorization } });
}

describe('a token (S9)', () => {
  test('that is right says who it is', async () => {
    const token = await new SignJWT({ ...claims(), roles: ['reader'] })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(SECRET));
    const response = await get(appWith(), `Bearer ${token}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      id: 'ada',
      roles: ['reader'],
      claims: { iss: OPTIONS.issuer },
    });
    expect((await get(appWith(), `bearer ${token}`)).status).toBe(200);
  });

  test('that is missing is 401 with a challenge; optional, it is nobody', async () => {
    const response = await get(appWith());
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await (await get(appWith({ optional: true }))).json()).toBe('nobody');
    expect((await get(appWith({ optional: true }), 'Bearer x.y.z')).status).toBe(401);
  });

  test.each(['RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const)(
    'is accepted when signed with %s and checked with its public key',
    async (algorithm) => {
      const keys = await generateKeyPair(algorithm, { extractable: true });
      const publicKey = await exportSPKI(keys.publicKey);
      const app = appWith({ secret: undefined, publicKey, algorithms: [algorithm] });
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: algorithm }).sign(keys.privateKey);
      expect((await get(app, `Bearer ${token}`)).status).toBe(200);
    },
  );

  test('opens what its roles open', async () => {
    const statusWith = async (roles: unknown) =>
      (await get(appWith(), `Bearer ${forge({ ...claims(), roles })}`, '/admin')).status;
    expect(await Promise.all([['admin'], 'reader root', ['x', 'root']].map(statusWith))).toEqual([
      200, 200, 200,
    ]);
    const none = [undefined, [], 'administrator', ['ADMIN'], { admin: true }, [['admin']], 5, 'admin,'];
    for (const roles of none) expect(await statusWith(roles), JSON.stringify(roles)).toBe(403);
    expect((await get(appWith({ optional: true }), undefined, '/admin')).status).toBe(401);
  });
});

const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const toPem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string;
const pem = toPem(pair.publicKey);
const ecPem = toPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const shortPem = toPem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey);

const FORGED: Record<string, () => string> = {
  'no signature, alg none': () => `${encode({ alg: 'none' })}.${encode(claims())}.`,
  'alg none with a signature': () => forge(claims(), { alg: 'none' }),
  'alg None': () => forge(claims(), { alg: 'None' }),
  'alg nOnE': () => forge(claims(), { alg: 'nOnE' }),
  'no alg': () => forge(claims(), {}),
  'alg as a list': () => forge(claims(), { alg: ['HS256'] }),
  'another HS algorithm': () => forge(claims(), { alg: 'HS512' }),
  'another secret': () => forge(claims(), { alg: 'HS256' }, 'another secret of thirty-two bytes!'),
  'the empty secret': () => forge(claims(), { alg: 'HS256' }, ''),
  'an empty signature': () => forge(claims()).replace(/[^.]*$/, ''),
  'a null signature': () => forge(claims()).replace(/[^.]*$/, 'AA'),
  'two dots only': () => '..',
  'one part': () => 'token',
  'two parts': () => forge(claims()).replace(/\.[^.]*$/, ''),
  'four parts': () => `${forge(claims())}.AA`,
  'five parts': () => `${forge(claims())}.AA.AA`,
  'a changed payload': () =>
    forge(claims()).replace(/\.[^.]+\./, `.${encode({ ...claims(), sub: 'root' })}.`),
  'no exp': () => forge({ ...claims(), exp: undefined }),
  'exp as a text': () => forge({ ...claims(), exp: String(nowSeconds() + 600) }),
  'exp null': () => forge({ ...claims(), exp: null }),
  'exp over': () => forge({ ...claims(), exp: nowSeconds() - 60 }),
  'exp negative': () => forge({ ...claims(), exp: -1 }),
  'exp infinite': () => forge(JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
  'exp in a hundred years': () => forge({ ...claims(), exp: nowSeconds() + 3e9 }),
  'exp as a list': () => forge({ ...claims(), exp: [nowSeconds() + 600] }),
  'nbf ahead': () => forge({ ...claims(), nbf: nowSeconds() + 600 }),
  'nbf as a text': () => forge({ ...claims(), nbf: '0' }),
  'nbf infinite': () => forge(JSON.stringify({ ...claims(), nbf: 7 }).replace('"nbf":7', '"nbf":1e999')),
  'iat ahead': () => forge({ ...claims(), iat: nowSeconds() + 600 }),
  'iat as a text': () => forge({ ...claims(), iat: 'now' }),
  'no iss': () => forge({ ...claims(), iss: undefined }),
  'another iss': () => forge({ ...claims(), iss: 'https://issuer.test.evil' }),
  'iss as a list': () => forge({ ...claims(), iss: ['https://issuer.test'] }),
  'no aud': () => forge({ ...claims(), aud: undefined }),
  'another aud': () => forge({ ...claims(), aud: 'API' }),
  'aud as an object': () => forge({ ...claims(), aud: { api: true } }),
  'aud as an empty list': () => forge({ ...claims(), aud: [] }),
  'no sub': () => forge({ ...claims(), sub: undefined }),
  'sub empty': () => forge({ ...claims(), sub: '' }),
  'sub as a number': () => forge({ ...claims(), sub: 1 }),
  'sub endless': () => forge({ ...claims(), sub: 'x'.repeat(300) }),
  'crit unknown': () => forge(claims(), { alg: 'HS256', crit: ['exp'], exp: 1 }),
  'crit empty': () => forge(claims(), { alg: 'HS256', crit: [] }),
  'b64 false': () => forge(claims(), { alg: 'HS256', b64: false, crit: ['b64'] }),
  'crit named twice, b64 among it': () => forge(claims(), { alg: 'HS256', b64: true, crit: ['b64', 'kid'] }),
  'encrypted, by its header': () => forge(claims(), { alg: 'dir', enc: 'A256GCM' }),
  'two alg, the last of them none': () => forge(claims(), '{"alg":"HS256","alg":"none"}'),
  'two exp, the last of them over': () => forge(`${JSON.stringify(claims()).slice(0, -1)},"exp":1}`),
  'a header with __proto__ for alg': () => forge(claims(), '{"__proto__":{"alg":"HS256"}}'),
  'claims under __proto__': () => forge(`{"__proto__":${JSON.stringify(claims())}}`),
  'aud that begins alike': () => forge({ ...claims(), aud: 'api.evil' }),
  'aud as a number': () => forge({ ...claims(), aud: 7 }),
  'iss with a slash more': () => forge({ ...claims(), iss: 'https://issuer.test/' }),
  'iss in capitals': () => forge({ ...claims(), iss: 'HTTPS://ISSUER.TEST' }),
  'a payload that is a list': () => forge([claims()]),
  'a payload that is null': () => forge('null'),
  'a payload that is no JSON': () => forge('{"iss":'),
  'a header that is no JSON': () => forge(claims(), '{'),
  'a token of a megabyte': () => forge({ ...claims(), pad: 'x'.repeat(1_000_000) }),
  'base64 with padding': () => `${forge(claims())}=`,
  'base64 of the other alphabet': () => forge(claims()).replace(/.$/, '+'),
  'letters that base64 ignores': () => forge(claims()).replace('.', '!.'),
  'space in it': () => forge(claims()).replace('.', ' .'),
  'a signature with spare bits': () => {
    const token = forge(claims());
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) ^ 1]!;
  },
};

describe('what is refused (C68, B18)', () => {
  test.each(Object.keys(FORGED))('%s, as all others, without the token in the log', async (name) => {
    const token = FORGED[name]!();
    const response = await get(appWith(), `Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(await response.json()).toEqual({ type: 'about:blank', title: 'Unauthorized', status: 401 });
    const written = JSON.stringify(lines);
    for (const part of token.split('.').filter((one) => one.length > 8)) expect(written).not.toContain(part);
  });

  test.each(['Basic YTpi', 'Bearer', 'Bearer ', 'token', '', `Bearer  , ${'x'}`])(
    'the header %j',
    async (header) => {
      expect((await get(appWith(), header)).status).toBe(401);
    },
  );

  test.each(['jku', 'x5u', 'jwk', 'kid'])(
    'a key that the token brings along in %s is not looked at',
    async (name) => {
      const value = {
        jku: 'http://127.0.0.1:1/keys',
        x5u: 'http://127.0.0.1:1/cert',
        jwk: { kty: 'oct', k: encode('mine') },
        kid: "../../dev/null' or 1=1 --",
      }[name];
      const right = forge(claims(), { alg: 'HS256', [name]: value });
      expect((await get(appWith(), `Bearer ${right}`)).status).toBe(200);
      const wrong = forge(claims(), { alg: 'HS256', [name]: value }, 'mine');
      expect((await get(appWith(), `Bearer ${wrong}`)).status).toBe(401);
    },
  );

  test('a public key taken for a secret', async () => {
    const options = { secret: undefined, publicKey: pem, algorithms: ['RS256'] as const };
    const right = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256' }).sign(pair.privateKey);
    expect((await get(appWith(options), `Bearer ${right}`)).status).toBe(200);
    for (const key of [pem, pem.trim(), await exportSPKI(pair.publicKey as never).catch(() => pem)]) {
      expect((await get(appWith(options), `Bearer ${forge(claims(), { alg: 'HS256' }, key)}`)).status).toBe(
        401,
      );
      expect((await get(appWith(options), `Bearer ${forge(claims(), { alg: 'RS256' }, key)}`)).status).toBe(
        401,
      );
    }
  });

  test.each<[string, number, number]>([
    ['exp', -4, 200],
    ['exp', -5, 401],
    ['exp', 86_405, 200],
    ['exp', 86_406, 401],
    ['nbf', 5, 200],
    ['nbf', 6, 401],
    ['iat', 5, 200],
    ['iat', 6, 401],
  ])('%s at %d seconds from now, with clocks five seconds apart: %d', async (claim, seconds, status) => {
    vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date'] });
    try {
      const token = forge({ ...claims(), [claim]: nowSeconds() + seconds });
      expect((await get(appWith(), `Bearer ${token}`)).status).toBe(status);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a token beside others in one header, or in two of them', async () => {
    const right = `Bearer ${forge(claims())}`;
    const headers = new Headers({ Authorization: right });
    headers.append('Authorization', right);
    expect((await appWith().request('/', { headers })).status).toBe(401);
    expect((await get(appWith(), `${right},${right}`)).status).toBe(401);
    expect((await appWith().request(`/?access_token=${right.slice(7)}`)).status).toBe(401);
    expect((await appWith().request('/', { headers: { Cookie: `token=${right.slice(7)}` } })).status).toBe(
      401,
    );
  });

  test('another type, where one is asked for', async () => {
    const app = appWith({ type: 'at+jwt' });
    expect((await get(app, `Bearer ${forge(claims(), { alg: 'HS256', typ: 'at+jwt' })}`)).status).toBe(200);
    expect((await get(app, `Bearer ${forge(claims(), { alg: 'HS256', typ: 'JWT' })}`)).status).toBe(401);
    expect((await get(app, `Bearer ${forge(claims())}`)).status).toBe(401);
  });
});

describe('options that would not be safe are refused at the start', () => {
  test.each<[string, object]>([
    ['issuer', { issuer: '' }],
    ['issuer', { issuer: [] }],
    ['audience', { audience: undefined }],
    ['algorithms', { algorithms: [] }],
    ['algorithms', { algorithms: ['none'] }],
    ['algorithms', { algorithms: ['RS256'] }],
    ['algorithms', { secret: undefined, publicKey: pem }],
    ['secret', { secret: 'short' }],
    ['give it as publicKey', { secret: pem }],
    ['give it as publicKey', { secret: Buffer.from(pem) }],
    ['exactly one of', { secret: undefined }],
    ['exactly one of', { publicKey: pem, algorithms: ['RS256'] }],
    ['publicKey', { secret: undefined, publicKey: 'no key', algorithms: ['RS256'] }],
    [
      'type ec prime256v1: RS256, ES384',
      { secret: undefined, publicKey: ecPem, algorithms: ['RS256', 'ES384', 'ES256'] },
    ],
    ['type rsa: ES256', { secret: undefined, publicKey: pem, algorithms: ['PS256', 'ES256'] }],
    ['at least 2048 bits', { secret: undefined, publicKey: shortPem, algorithms: ['RS256'] }],
    ['jwksUrl', { secret: undefined, jwksUrl: 'http://issuer.test/keys', algorithms: ['RS256'] }],
    ['jwksUrl', { secret: undefined, jwksUrl: 'https://a:b@issuer.test/keys', algorithms: ['RS256'] }],
    ['clockToleranceSeconds', { clockToleranceSeconds: 86_400 }],
    ['Did you mean "algorithms"', { algorithm: ['HS256'] }],
  ])('%s: %j', (word, wrong) => {
    const make = () => jwtAuth({ ...OPTIONS, ...wrong });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(word);
    expect(make).not.toThrow(SECRET);
  });
});
