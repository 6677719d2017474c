import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/fixtures/folder-with.ts';
import { ConfigError } from '../errors/index.ts';
import { resolveDatabaseConfig } from './resolve.ts';

const CANARY = 'hunter2canary';

async function refusal(wrong: {
  readonly given?: unknown;
  readonly env?: NodeJS.ProcessEnv;
  readonly files?: Record<string, string>;
}): Promise<ConfigError> {
  const { given, env = {}, files } = wrong;
  const cwd = await folderWith(files);
  const error: unknown = await resolveDatabaseConfig({ given: given as string, env, cwd }).then(
    () => new Error('was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw error;
  // Whatever prints an error, prints no secret.
  expect(`${error.stack} ${inspect(error, { depth: 9 })} ${JSON.stringify(error)}`).not.toContain(CANARY);
  return error;
}

const keysOf = ({ problems }: ConfigError): string[] => problems.map(({ key }) => key);
const good = { DATABASE_URL: 'sqlite:app.db' };

describe('C57 a wrong variable stops the start, by its name', () => {
  it.each(
    [
      [
        'DB_POOL_MAX',
        ['', 'NaN', '-1', '0', '1e9', '1.5', 'ten', ' 5', '0x10', 'Infinity', '1001', 'null', '5,0'],
      ],
      [
        'DB_POOL_IDLE_TIMEOUT',
        ['', 'NaN', '-1', '1e9', '999999999', '30 s', '30sec', '25h', 'never', '3601'],
      ],
      ['TRANSACTION_TIMEOUT', ['', 'NaN', '-5', '30000', '1e3', '0.0001s', 'off']],
      ['DB_HEALTH_CHECK_ENABLED', ['', 'maybe', '2', 'TRUE!', 'null']],
      ['DB_HEALTH_CHECK_INTERVAL', ['', '0', '50ms', '-60', 'NaN', '2d']],
      ['DB_HEALTH_CHECK_RECONNECT', ['', 'y', 'enabled']],
      ['DB_HEALTH_CHECK_MAX_RETRIES', ['', '-1', '1001', '3.5', 'many']],
      ['DB_HEALTH_CHECK_RETRY_INTERVAL', ['', '0', '5ms', '2h', 'NaN']],
      ['MILLPOND_POOLED', ['', 'flase', '-1']],
    ].flatMap(([name, values]) =>
      (values as string[]).map((value): [string, string] => [name as string, value]),
    ),
  )('%s=%s', async (name, value) => {
    const error = await refusal({ env: { ...good, [name]: value } });
    expect(keysOf(error)).toEqual([name]);
    expect(error.problems[0]!.source).toBe('environment');
    expect(error.message).toMatch(/allowed: |remove it, or give it |write the unit with it/);
  });

  it.each([
    ['', 'is empty'],
    ['app', 'no address of a database'],
    [CANARY, 'no address of a database'],
    [`mysql://root:${CANARY}@db/app`, 'no address of a database millpond knows'],
    [`mongodb+srv://root:${CANARY}@db/app`, 'no address of a database millpond knows'],
    [`psotgres://app:${CANARY}@db/app`, 'did you mean postgres:?'],
    [`postgres//app:${CANARY}@db/app`, 'no address of a database'],
    [`postgres:app:${CANARY}@db/app`, 'write postgres://user:password@host:5432/name'],
    [`postgres://app:${CANARY}@/app`, 'write postgres://user:password@host:5432/name'],
    [`postgres://app:${CANARY}@db`, 'it names no database'],
    [`postgres://app:${CANARY}`, 'write postgres://'],
    ['postgres://host', 'it names no user'],
    [`postgres://app:${CANARY}@db:port/app`, 'write postgres://'],
    [`postgres://app:${CANARY}@db:70000/app`, 'write postgres://'],
    [`postgres://app:${CANARY}@::1/app`, 'write postgres://'],
    [`postgres://app:${CANARY}/x@db/app`, '%2F'],
    [`postgres://app:${CANARY}#x@db/app`, '%23'],
    [`postgres://app:${CANARY}?x@db/app`, '%3F'],
    [`postgres://app:1#${CANARY}@db/app`, '%23'],
    [`postgres://app:1/${CANARY}@db/app`, '%2F'],
    [`postgres://app:1?${CANARY}&x@db/app`, '%3F'],
    [`postgres://app:${CANARY}%@db/app`, '%25'],
    [`postgres://app:${CANARY}%zz@db/app`, '%25'],
    ['sqlite:', 'it names no file'],
    ['sqlite://data/app.db', 'two slashes name a server'],
    ['sqlite:data/', 'it names a folder'],
    ['sqlite:%zz.db', 'write % as %25'],
    ['sqlite:a%00.db', 'NUL'],
    [
      `postgres://app:${CANARY}@db/app?sslmode=verfy-full`,
      'sslmode is one of disable, allow, prefer, require',
    ],
    [`postgres://app:${CANARY}@db/app?sslmode=no-verify`, 'sslmode is one of'],
    ['postgres://app@db/app?sslmode=disable&sslmode=verify-full', 'twice'],
    ['postgres://app@db/app?sslrootcert=ca.pem', 'sslrootcert needs an sslmode, such as verify-full'],
    ['postgres://app@db/app?sslmode=require&sslcert=a.pem', 'sslcert and sslkey go together'],
    ['postgres://app@db/app?sslmode=require&sslrootcert=system', 'needs sslmode=verify-full'],
    ['postgres://app@db/app?client_encoding=latin1', 'can only be UTF8'],
    ['sqlte:app', 'did you mean sqlite:?'],
    ['http://localhost/app', 'no address of a database'],
  ])('DATABASE_URL=%s', async (url, message) => {
    const error = await refusal({ env: { DATABASE_URL: url } });
    expect(keysOf(error)[0]).toBe('DATABASE_URL');
    expect(error.message).toContain(message);
  });

  it.each([
    ['DATABASE_URL?pool_maxx', 'sqlite:a.db?pool_maxx=3', 'did you mean pool_max?'],
    ['DATABASE_URL?pool_max', 'sqlite:a.db?pool_max=0', 'is "0"; allowed'],
    ['DATABASE_URL?pool_max', 'sqlite:a.db?pool_max=1&pool_max=2', 'says the same as DATABASE_URL?pool_max'],
    ['DATABASE_URL?password', `sqlite:a.db?password=${CANARY}`, 'is not a parameter of this URL'],
    ['DATABASE_URL?password', `postgres://app@db/app?password=${CANARY}`, 'is not a parameter of this URL'],
    ['DATABASE_URL?sslmod', `postgres://app:${CANARY}@db/app?sslmod=require`, 'did you mean sslmode?'],
    ['DATABASE_URL?(unreadable name)', 'sqlite:a.db?%00=1', 'is not a parameter'],
    ['DATABASE_URL?journal_mode', 'postgres://app@db/app?journal_mode=wal', 'is not a parameter'],
  ])('%s in %s', async (key, url, message) => {
    const error = await refusal({ env: { DATABASE_URL: url } });
    expect(keysOf(error)).toEqual([key]);
    expect(error.message).toContain(message);
  });

  it.each([
    ['DB_POOL', '0', 'did you mean DB_POOL_MAX?'],
    ['DB_POOL_SIZE', CANARY, 'is not a variable of millpond'],
    ['DB_POOL_MAX_', '5', 'did you mean DB_POOL_MAX?'],
    ['DB_HEALTH_CHECK', 'true', 'did you mean DB_HEALTH_CHECK_ENABLED?'],
    ['MILLPOND_POOL', 'false', 'did you mean MILLPOND_POOLED?'],
    ['TRANSACTION_TIMEOUT_', '30', 'did you mean TRANSACTION_TIMEOUT?'],
  ])('%s is unknown', async (name, value, message) => {
    const error = await refusal({ env: { ...good, [name]: value } });
    expect(keysOf(error)).toEqual([name]);
    expect(error.message).toContain(message);
  });

  it.each([
    [{}, 'give a database URL in code, in DATABASE_URL, or in config/database.yaml'],
    [{ DATABSE_URL: `postgres://app:${CANARY}@db/app` }, 'DATABSE_URL is set: did you mean DATABASE_URL?'],
    [{ DATABASE_READ_URL: `postgres://app:${CANARY}@db/app` }, 'is nowhere'],
  ])('no address at all: case %#', async (env, message) => {
    const error = await refusal({ env });
    expect(keysOf(error)).toEqual(['url']);
    expect(error.message).toContain(message);
  });

  it.each([
    ['DATABASE_READ_URL', '', 'is empty in one of its places'],
    ['DATABASE_READ_URL', `postgres://app:${CANARY}@db/app,`, 'is empty in one of its places'],
    ['DATABASE_REPLICA_URL', `postgres://app:${CANARY}@db`, 'it names no database'],
    ['DATABASE_REPLICA_URL', 'sqlite:app.db', 'is of another engine than the primary'],
    [
      'DATABASE_READ_URL?pool_max',
      'postgres://app@db/app?pool_max=3',
      'options follow the address of the primary',
    ],
  ])('%s=%s', async (key, value, message) => {
    const name = key.split('?')[0]!;
    const error = await refusal({ env: { DATABASE_URL: 'postgres://app@db/app', [name]: value } });
    expect(keysOf(error)).toEqual([key]);
    expect(error.message).toContain(message);
  });

  it('a reader of another file than SQLite’s primary', async () => {
    const error = await refusal({ env: { ...good, DATABASE_READ_URL: 'sqlite:other.db' } });
    expect(error.message).toContain('DATABASE_READ_URL (environment): is another file than the primary');
  });

  it('a reader beside a primary that cannot be read', async () => {
    const env = { DATABASE_URL: 'mysql://a', DATABASE_READ_URL: 'oracle://b' };
    expect(keysOf(await refusal({ env }))).toEqual(['DATABASE_URL', 'DATABASE_READ_URL']);
  });
});

describe('C57 a wrong option stops the start, by its name', () => {
  it.each([
    ['queryTimeoutMs', -1],
    ['queryTimeoutMs', Number.NaN],
    ['queryTimeoutMs', 1e9],
    ['queryTimeoutMs', '30s'],
    ['transactionTimeoutMs', Infinity],
    ['idleInTransactionTimeoutMs', 0.5],
    ['cancelGraceMs', 60_001],
    ['closeTimeoutMs', null],
    ['slowQueryMs', true],
    ['pooled', 'false'],
    ['readOnly', 1],
    ['exposeParams', 'yes'],
    ['durability', 'none'],
    ['durability', 'FULL'],
    ['log', 'verbose'],
    ['log', () => undefined],
    ['inlineReads', 0],
    ['inlineBudgetMs', 0],
    ['inlineBudgetMs', 101],
    ['statementCacheSize', 0],
    ['busyTimeoutMs', 600_001],
    ['initScript', ''],
    ['initScript', 'missing.sql'],
    ['initScript', '.'],
    ['name', ''],
    ['name', 'a b'],
    ['name', 'x'.repeat(65)],
    ['pool', []],
    ['sqlite', 'wal'],
    ['healthCheck', false],
    ['readUrls', 'sqlite:app.db'],
    ['writeUrl', 5],
  ])('%s: %s', async (key, value) => {
    const error = await refusal({ given: { url: 'sqlite:app.db', [key]: value } });
    expect(keysOf(error)).toEqual([key]);
    expect(error.problems[0]!.source).toBe('options');
  });

  it.each([
    ['pool.max', 0],
    ['pool.max', 65],
    ['pool.min', -1],
    ['pool.min', 1_000],
    ['pool.maxOverflow', 0.1],
    ['pool.maxWaiting', 1e9],
    ['pool.acquireTimeoutMs', '5s'],
    ['pool.createTimeoutMs', 0],
    ['pool.preset', 'staging'],
    ['pool.maxx', 1],
    ['healthCheck.intervalMs', 99],
    ['healthCheck.maxRetries', '3'],
    ['sqlite.journalMode', 'memory'],
    ['sqlite.journalMode', 'delete'],
    ['sqlite.synchronous', 'off'],
    ['sqlite.cacheSizeKiB', -64_000],
    ['sqlite.mmapSizeBytes', 2 ** 40],
    ['sqlite.walCheckpointBytes', 1],
  ])('%s: %s', async (key, value) => {
    const [group, name] = key.split('.') as [string, string];
    const error = await refusal({ given: { url: 'sqlite:app.db', [group]: { [name]: value } } });
    expect(keysOf(error)).toEqual([key]);
  });

  it.each([null, 7, true, [], new URL('sqlite:app.db')])('openDatabase(%s)', async (given) => {
    expect((await refusal({ given })).message).toContain('allowed: an object with options');
  });

  it('an address that is empty text', async () => {
    expect((await refusal({ given: '' })).problems[0]).toMatchObject({ key: 'url', source: 'options' });
  });

  it('J2 a name that no section has, with those there are; of an unreadable file only that', async () => {
    const files = { 'config/database.yaml': 'databases:\n  analytics: { sqlite: { path: a.db } }' };
    const misspelt = await refusal({ given: { name: 'analytcs' }, files });
    expect(misspelt.message).toContain(
      'url (options): of "analytcs" is nowhere: give a database URL in code, or under databases in ' +
        'config/database.yaml, which has analytics; did you mean "analytics"?',
    );
    for (const text of ['database: [', 'database: {', 'a: b: c', 'just a text']) {
      const { problems } = await refusal({ files: { 'config/database.yaml': text } });
      expect(problems.map(({ key }) => key)).toEqual(['config/database.yaml']);
    }
    const broken = await refusal({ files: { 'millpond.config.mjs': 'export default {' } });
    expect(broken.problems.map(({ key }) => key)).toEqual(['millpond.config.mjs']);
    const noFile = await refusal({ given: { name: 'analytics' } });
    expect(noFile.message).toMatch(/or under databases in config\/database\.yaml$/);
  });
});

it('C57 every fault of every source is in one error: key, source, value and what is allowed', async () => {
  const error = await refusal({
    given: { url: `postgres://app:${CANARY}@db/app`, pool: { min: -1, maxx: 3 }, durablity: 'full' },
    env: { DB_POOL_MAX: '0', DB_POOL: '5' },
    files: {
      '.env.local': 'TRANSACTION_TIMEOUT=soon',
      'config/database.yaml': 'database:\n  postgres:\n    pool_timeout: often\n    pasword: x',
    },
  });
  expect(error.code).toBe('ERR_MILLPOND_CONFIG');
  expect(error.message.split('\n')).toEqual([
    'The configuration has 8 faults:',
    '  - pool.min (options): is -1; allowed: a whole number from 0 to 1,000',
    '  - pool.maxx (options): is not an option; did you mean max?',
    '  - durablity (options): is not an option; did you mean durability?',
    '  - DB_POOL (environment): is not a variable of millpond; did you mean DB_POOL_MAX?',
    '  - DB_POOL_MAX (environment): is "0"; allowed: a whole number from 1 to 1,000',
    '  - TRANSACTION_TIMEOUT (.env.local): is "soon"; allowed: a duration from 0ms to 24h, ' +
      'as in 500ms, 30s or 5m (a bare number is in seconds)',
    '  - database.postgres.pasword (config/database.yaml:4): is not an option; did you mean password?',
    '  - database.postgres.pool_timeout (config/database.yaml:3): is "often"; allowed: ' +
      'a duration from 0ms to 1h, as in 500ms, 30s or 5m (a bare number is in seconds)',
  ]);
});
