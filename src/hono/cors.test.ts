import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { cors, type CorsOptions } from './cors.ts';

function appWith(options: CorsOptions): Hono {
  const app = new Hono();
  app.use(cors(options));
  app.all('/', (context) => context.json({ secret: 1 }));
  return app;
}

const ALLOWED = 'https://app.example.com';
const app = appWith({
  origins: [ALLOWED, 'https://*.example.org', 'http://localhost:5173'],
  credentials: true,
  exposeHeaders: ['X-Total'],
});

async function headersFor(origin: string | undefined, of: Hono = app): Promise<Record<string, string>> {
  const response = await of.request('/', { headers: origin === undefined ? {} : { Origin: origin } });
  return Object.fromEntries([...response.headers].filter(([name]) => /^(?:access|vary)/.test(name)));
}

describe('origins (M3, C67)', () => {
  test.each([ALLOWED, 'https://a.example.org', 'https://a.b.example.org', 'http://localhost:5173'])(
    '%s may read',
    async (origin) => {
      expect(await headersFor(origin)).toEqual({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'X-Total',
        vary: 'Origin',
      });
    },
  );

  test.each([
    undefined,
    'null',
    '*',
    'https://example.com',
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com.evil.test',
    'https://evil-app.example.com',
    'https://app.example.comx',
    'https://example.org',
    'https://evilexample.org',
    'https://evil.test/.example.org',
    'https://evil.test?.example.org',
    'https://evil.test#.example.org',
    'https://user@a.example.org',
    'https://*.example.org',
    'http://a.example.org',
    'https://a.example.org:8443',
    'http://localhost',
    'file://',
  ])('%s gets no header that would let it, and caches are told why', async (origin) => {
    expect(await headersFor(origin)).toEqual({ vary: 'Origin' });
  });

  test('all of them, where that is said: without their cookies, and the same for everybody', async () => {
    const open = appWith({ origins: ['*'] });
    expect(await headersFor('https://any.test', open)).toEqual({ 'access-control-allow-origin': '*' });
    expect(await headersFor(undefined, open)).toEqual({});
  });
});

describe('a preflight', () => {
  const preflight = (origin: string) =>
    app.request('/', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'PUT' },
    });

  test('is answered with what is allowed, and no route is asked', async () => {
    const response = await preflight(ALLOWED);
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(Object.fromEntries(response.headers)).toEqual({
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'Authorization, Content-Type',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-origin': ALLOWED,
      'access-control-max-age': '600',
      vary: 'Origin',
    });
  });

  test('of another origin is refused', async () => {
    const response = await preflight('https://evil.test');
    expect([response.status, Object.fromEntries(response.headers)]).toEqual([403, { vary: 'Origin' }]);
  });

  test('is one only with its header: other OPTIONS go to the routes', async () => {
    const response = await app.request('/', { method: 'OPTIONS', headers: { Origin: ALLOWED } });
    expect([response.status, await response.json()]).toEqual([200, { secret: 1 }]);
  });
});

test('an open door with credentials, and what is no origin, is refused at the start', () => {
  expect(() => cors({ origins: ['*'], credentials: true })).toThrow(/cannot be on with "\*"/);
  expect(() => cors({ origins: ['*', ALLOWED] })).toThrow(/others beside it/);
  expect(() => cors({ origins: [] })).toThrow(/at least one origin/);
  expect(() => cors({} as CorsOptions)).toThrow(/at least one origin/);
  const wrong = [
    'null',
    'example.com',
    'https://example.com/',
    'https://EXAMPLE.com',
    'https://*',
    'https://a.*.com',
  ];
  for (const origin of wrong) expect(() => cors({ origins: [origin] }), origin).toThrow(/cors\.origins/);
});
