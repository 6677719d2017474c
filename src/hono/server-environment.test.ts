import { describe, expect, test } from 'vitest';
import { ConfigError } from '../errors/index.ts';
import { createServer } from './create-server.ts';
import { optional, readEnvironment, variable } from './read-environment.ts';
import { readServerEnvironment } from './server-environment.ts';

const CANARY = 'hunter2-canary-value';

describe('the environment of a server (S8)', () => {
  test('says nothing where nothing is set, and empty is nothing', () => {
    const nothing = readServerEnvironment({});
    expect(Object.values(nothing).filter((value) => value !== undefined)).toEqual([]);
    expect(readServerEnvironment({ PORT: '', HOST: '  ', CORS_ORIGINS: '', JWT_SECRET: '' })).toEqual(
      nothing,
    );
  });

  test('is read as what it means', () => {
    const said = readServerEnvironment({
      PORT: ' 8080 ',
      HOST: '::',
      LOG_LEVEL: 'warn',
      TRUSTED_HOSTS: 'api.example.com, *.example.org',
      CORS_ORIGINS: 'https://app.example.com',
      RATE_LIMIT_MAX: '100',
      RATE_LIMIT_WINDOW: '10',
      JWT_ISSUER: 'https://issuer.test',
      JWT_AUDIENCE: 'api',
      JWT_ALGORITHMS: 'RS256,PS256',
      JWT_PUBLIC_KEY: '-----BEGIN PUBLIC KEY-----\\nAA',
      SHUTDOWN_TIMEOUT: '30',
      SHUTDOWN_DELAY: '0',
      SOMETHING_ELSE: 'not ours',
    });
    expect(said).toMatchObject({
      port: 8_080,
      host: '::',
      log: 'warn',
      hosts: ['api.example.com', '*.example.org'],
      corsOrigins: ['https://app.example.com'],
      rateLimit: { limit: 100, windowMs: 10_000 },
      auth: { issuer: 'https://issuer.test', audience: ['api'], algorithms: ['RS256', 'PS256'] },
      shutdownTimeoutMs: 30_000,
      shutdownDelayMs: 0,
    });
    expect(said.auth?.publicKey).toBe('-----BEGIN PUBLIC KEY-----\nAA');
  });

  const numbers = [
    'PORT',
    'RATE_LIMIT_MAX',
    'RATE_LIMIT_WINDOW',
    'BODY_LIMIT_BYTES',
    'SHUTDOWN_TIMEOUT',
    'SHUTDOWN_DELAY',
  ];
  const noNumbers = [
    'NaN',
    '-1',
    '1e9',
    '1.5',
    '0x10',
    '99999999999999999999',
    'Infinity',
    '8080 ports',
    '１２',
  ];
  test.each(numbers.flatMap((name) => noNumbers.map((value) => [name, value] as const)))(
    '%s=%s is refused by name (C57)',
    (name, value) => {
      expect(() => readServerEnvironment({ [name]: value })).toThrow(
        new RegExp(`${name} \\(environment\\): must be`),
      );
    },
  );

  test.each([
    'TRUSTED_HOST',
    'TRUSTED_PROXY',
    'CORS_ORIGIN',
    'RATE_LIMIT',
    'RATE_LIMIT_WINDOW_MS',
    'BODY_LIMIT',
    'JWT_SECRETS',
    'JWT_ISSUERS',
    'SHUTDOWN_TIMEOUT_MS',
  ])('%s is no variable, and is not overlooked (C57)', (name) => {
    expect(() => readServerEnvironment({ [name]: CANARY })).toThrow(
      new RegExp(`${name} \\(environment\\): There is no`),
    );
  });

  test('tells all faults at once, and shows no value (C57, B18)', () => {
    const wrong = {
      PORT: CANARY,
      LOG_LEVEL: CANARY,
      RATE_LIMIT_MAX: CANARY,
      JWT_SECRETS: CANARY,
      HOST: CANARY,
    };
    const read = () => readServerEnvironment(wrong);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/4 faults[^]*JWT_SECRETS[^]*PORT[^]*LOG_LEVEL[^]*RATE_LIMIT_MAX/);
    expect(read).not.toThrow(CANARY);
  });

  test.each<[string, Record<string, string>]>([
    ['TRUSTED_HOSTS[1]', { TRUSTED_HOSTS: 'example.com, http://example.com' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '10.0.0.0/99' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'example.com' }],
    ['RATE_LIMIT_WINDOW', { RATE_LIMIT_WINDOW: '60' }],
    ['JWT_ISSUER', { JWT_SECRET: CANARY.repeat(3), JWT_AUDIENCE: 'a', JWT_ALGORITHMS: 'HS256' }],
    ['JWT_AUDIENCE', { JWT_SECRET: CANARY.repeat(3), JWT_ISSUER: 'i', JWT_ALGORITHMS: 'HS256' }],
    [
      'JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL',
      { JWT_ISSUER: 'i', JWT_AUDIENCE: 'a', JWT_ALGORITHMS: 'HS256' },
    ],
    [
      'JWT_PUBLIC_KEY',
      { JWT_PUBLIC_KEY: CANARY, JWT_ISSUER: 'i', JWT_AUDIENCE: 'a', JWT_ALGORITHMS: 'RS256' },
    ],
    ['JWT_SECRET', { JWT_SECRET: CANARY, JWT_ISSUER: 'i', JWT_AUDIENCE: 'a', JWT_ALGORITHMS: 'HS256' }],
    [
      'JWT_ALGORITHMS',
      { JWT_SECRET: CANARY.repeat(3), JWT_ISSUER: 'i', JWT_AUDIENCE: 'a', JWT_ALGORITHMS: 'none' },
    ],
    [
      'JWT_JWKS_URL',
      { JWT_JWKS_URL: 'http://issuer.test', JWT_ISSUER: 'i', JWT_AUDIENCE: 'a', JWT_ALGORITHMS: 'RS256' },
    ],
  ])('a service whose %s is wrong does not start, and says that name alone (C57)', (name, environment) => {
    const create = () => createServer({ environment, log: 'silent' });
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(`has 1 fault:\n  - ${name} (environment): `);
    expect(create).not.toThrow(CANARY);
  });

  test('a service tells at once what each variable, and what they together, have wrong (C57)', () => {
    const environment = {
      BODY_LIMIT_BYTES: '1MB',
      CORS_ORIGIN: 'https://a.test',
      TRUSTED_PROXIES: 'proxy',
      TRUSTED_HOSTS: ',',
      JWT_SECRET: CANARY,
    };
    const create = () => createServer({ environment, log: 'silent' });
    expect(create).toThrow('has 9 faults');
    for (const name of [...Object.keys(environment), 'JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_ALGORITHMS'])
      expect(create).toThrow(name);
    // What code says instead is not looked at.
    const { CORS_ORIGIN: _, BODY_LIMIT_BYTES: __, ...overruled } = environment;
    const auth = { issuer: 'i', audience: 'a', algorithms: ['HS256'], secret: CANARY.repeat(3) } as const;
    const code = { auth, hosts: ['a.test'], trustedProxies: [], environment: overruled };
    expect(() => createServer({ ...code, log: 'silent' })).not.toThrow();
  });

  test('code wins over it', async () => {
    const app = createServer({ environment: { TRUSTED_HOSTS: 'a.test' }, hosts: ['b.test'], log: 'silent' });
    app.get('/', (context) => context.text('served'));
    expect((await app.request('/', { headers: { Host: 'a.test' } })).status).toBe(400);
    expect((await app.request('/', { headers: { Host: 'b.test' } })).status).toBe(200);
    expect(() => createServer({ environment: {}, trustedHost: [] } as object)).toThrow(
      /createServer\.trustedHost/,
    );
  });
});

describe('variables of an application', () => {
  const RULES = {
    API_KEY: variable.text(),
    WORKERS: variable.integer(1, 64, 4),
    DRY_RUN: variable.flag(false),
    MODE: variable.oneOf(['fast', 'slow']),
    CALLBACK: optional(variable.url()),
    TAGS: variable.list([]),
  };

  test('are typed values, or their fallback', () => {
    const values = readEnvironment(RULES, { API_KEY: 'k', MODE: 'fast', DRY_RUN: 'TRUE', TAGS: 'a, b' });
    expect(values).toEqual({
      API_KEY: 'k',
      WORKERS: 4,
      DRY_RUN: true,
      MODE: 'fast',
      CALLBACK: undefined,
      TAGS: ['a', 'b'],
    });
    const { WORKERS, CALLBACK }: { WORKERS: number; CALLBACK: URL | undefined } = values;
    expect([WORKERS, CALLBACK]).toEqual([4, undefined]);
  });

  test('that are missing or wrong are all named, with what was probably meant', () => {
    const read = () =>
      readEnvironment(RULES, {
        API_KEYS: CANARY,
        WORKERS: CANARY,
        DRY_RUN: CANARY,
        MODE: CANARY,
        CALLBACK: CANARY,
      });
    expect(read).toThrow(/API_KEY \(environment\): is missing: a text; there is API_KEYS/);
    expect(read).toThrow(
      /WORKERS[^]*from 1 to 64[^]*DRY_RUN[^]*true or false[^]*MODE[^]*fast, slow[^]*CALLBACK[^]*a URL/,
    );
    expect(read).not.toThrow(CANARY);
  });
});
