import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/fixtures/folder-with.ts';
import type { DatabaseOptions } from './options.ts';
import { resolveDatabaseConfig } from './resolve.ts';
import type { ResolvedDatabaseConfig, ResolvedPostgresConfig, ResolvedSqliteConfig } from './resolved.ts';

interface Case {
  readonly given?: string | DatabaseOptions;
  readonly env?: NodeJS.ProcessEnv;
  readonly files?: Record<string, string>;
}

async function resolveIn({ given, env = {}, files }: Case): Promise<ResolvedDatabaseConfig> {
  return resolveDatabaseConfig({ given, env, cwd: await folderWith(files) });
}

async function resolveSqlite(one: Case): Promise<ResolvedSqliteConfig> {
  const config = await resolveIn(one);
  if (config.dialect !== 'sqlite') throw new Error('not SQLite');
  return config;
}

async function resolvePostgres(one: Case): Promise<ResolvedPostgresConfig> {
  const config = await resolveIn(one);
  if (config.dialect !== 'postgres') throw new Error('not PostgreSQL');
  return config;
}

describe('a resolved configuration', () => {
  it('of SQLite has nothing missing, with the defaults of the engine', async () => {
    const cwd = await folderWith();
    const { sources, ...config } = await resolveDatabaseConfig({ given: 'sqlite:data/app.db', env: {}, cwd });
    expect(config).toEqual({
      name: 'main',
      autoMigrate: false,
      migrationsFolder: undefined,
      dialect: 'sqlite',
      url: `sqlite:${join(cwd, 'data/app.db')}`,
      path: join(cwd, 'data/app.db'),
      pooled: true,
      readOnly: false,
      durability: 'full',
      queryTimeoutMs: 30_000,
      transactionTimeoutMs: 30_000,
      idleInTransactionTimeoutMs: 10_000,
      cancelGraceMs: 250,
      closeTimeoutMs: 10_000,
      log: 'warn',
      slowQueryMs: 1_000,
      exposeParams: false,
      initScript: undefined,
      busyTimeoutMs: 5_000,
      statementCacheSize: 200,
      inlineReads: true,
      inlineBudgetMs: 2,
      pool: {
        max: Math.min(4, availableParallelism()),
        acquireTimeoutMs: 5_000,
        min: 0,
        maxOverflow: 0,
        maxWaiting: 10_000,
        idleTimeoutMs: 0,
        maxLifetimeMs: 0,
        keepaliveMs: 0,
        pingAfterIdleMs: 1_000,
        leakAfterMs: 2_000,
        warnAcquireMs: 2_000,
        createTimeoutMs: 5_000,
      },
      healthCheck: {
        enabled: true,
        intervalMs: 60_000,
        reconnect: true,
        maxRetries: 3,
        retryIntervalMs: 5_000,
      },
      sqlite: {
        journalMode: 'wal',
        synchronous: 'full',
        foreignKeys: true,
        cacheSizeKiB: 16_384,
        mmapSizeBytes: 134_217_728,
        walCheckpointBytes: 16_777_216,
        journalSizeLimitBytes: 67_108_864,
        trustedSchema: false,
      },
    });
    expect(sources).toMatchObject({ url: 'options', 'pool.max': 'default' });
  });

  it('of PostgreSQL has its targets, and nothing that only SQLite has', async () => {
    const config = await resolvePostgres({
      given: 'postgres://app:CANARY@[::1]/main?sslmode=require&pool_max=3',
    });
    expect(config).toMatchObject({
      name: 'main',
      replicas: [],
      pool: { max: 3, maxWaiting: 1_000, keepaliveMs: 120_000 },
    });
    expect(config.primary).toMatchObject({ host: '::1', port: 5_432, user: 'app', database: 'main' });
    expect(config.primary.parameters).toEqual({ sslmode: 'require' });
    expect(config.primary.password?.reveal()).toBe('CANARY');
    expect(config).not.toHaveProperty('sqlite');
    expect(config.sources).not.toHaveProperty('durability');
    expect(JSON.stringify(config)).not.toContain('CANARY');
  });

  it('is frozen to its depth', async () => {
    const { replicas, primary, ...config } = await resolvePostgres({
      given: { url: 'postgres://a@b/c', readUrls: ['postgres://a@d/c'] },
    });
    const sqlite = await resolveSqlite({ given: 'sqlite:a.db' });
    const parts = [
      sqlite,
      sqlite.sqlite,
      sqlite.sources,
      config.pool,
      config.healthCheck,
      replicas,
      replicas[0],
      primary,
    ];
    for (const part of [...parts, primary.parameters]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('P6 takes code over environment over .env.local over .env over file over defaults', async () => {
    const { pool, sources, path } = await resolveSqlite({
      given: { pool: { max: 1 } },
      env: { DB_POOL_MAX: '2', DB_POOL_IDLE_TIMEOUT: '2' },
      files: {
        '.env.local': 'DB_POOL_IDLE_TIMEOUT=3\nTRANSACTION_TIMEOUT=3\nDATABASE_URL=sqlite:local.db',
        '.env': 'TRANSACTION_TIMEOUT=4\nMILLPOND_POOLED=false\nDATABASE_URL=sqlite:env.db',
        'config/database.yaml':
          'database:\n  sqlite:\n    path: f.db\n    pooled: true\n    pool_max_overflow: 5\n    pool_min: 0',
      },
    });
    expect(pool).toMatchObject({
      max: 1,
      idleTimeoutMs: 2_000,
      maxOverflow: 5,
      min: 0,
      warnAcquireMs: 2_000,
    });
    expect(path).toMatch(/local\.db$/);
    expect(sources).toMatchObject({
      url: 'DATABASE_URL in .env.local',
      'pool.max': 'options',
      'pool.idleTimeoutMs': 'DB_POOL_IDLE_TIMEOUT',
      transactionTimeoutMs: 'TRANSACTION_TIMEOUT in .env.local',
      pooled: 'MILLPOND_POOLED in .env',
      'pool.maxOverflow': 'config/database.yaml:5',
      'pool.warnAcquireMs': 'default',
    });
  });

  it('takes options from the address, at the rank of the source that holds it', async () => {
    const { pool, durability, sources } = await resolveSqlite({
      env: { DATABASE_URL: 'sqlite:a.db?pool_max=4&durability=process' },
      given: { pool: { max: 2 } },
    });
    expect({ max: pool.max, durability }).toEqual({ max: 2, durability: 'process' });
    expect(sources.durability).toBe('DATABASE_URL?durability');
  });

  it('knows production by NODE_ENV, from .env too', async () => {
    const given = 'postgres://a@b/c';
    expect((await resolveIn({ given })).pool.max).toBe(10);
    expect((await resolveIn({ given, env: { NODE_ENV: 'test' } })).pool.max).toBe(10);
    expect((await resolveIn({ given, env: { NODE_ENV: 'production' } })).pool.max).toBe(20);
    expect((await resolveIn({ given, files: { '.env': 'NODE_ENV=production' } })).pool.leakAfterMs).toBe(
      10_000,
    );
  });

  it('J12 finds the init script from the working directory', async () => {
    const cwd = await folderWith({ 'db/init.sql': '' });
    const config = await resolveDatabaseConfig({
      given: { url: 'a.db', initScript: 'db/init.sql' },
      env: {},
      cwd,
    });
    expect(config).toMatchObject({ initScript: join(cwd, 'db/init.sql') });
  });

  it('T6 a database in memory, or with MILLPOND_POOLED=false, has one connection', async () => {
    expect((await resolveIn({ given: 'sqlite::memory:' })).pooled).toBe(false);
    expect((await resolveIn({ given: 'a.db', env: { MILLPOND_POOLED: 'false' } })).pooled).toBe(false);
  });

  it('reads process.env and the working directory where nothing else is said', async () => {
    const config = await resolveDatabaseConfig({ given: 'sqlite:some.db' });
    expect(config).toMatchObject({ path: join(process.cwd(), 'some.db') });
  });
});

describe('the address', () => {
  it('P19 is the write side’s, and its readers come with it', async () => {
    const { primary, replicas, sources } = await resolvePostgres({
      env: {
        DATABASE_URL: 'postgres://a@ignored/c',
        DATABASE_WRITE_URL: 'postgres://a@write/c',
        DATABASE_READ_URL: 'postgres://a@read1/c,postgres://a@read2/c',
        DATABASE_REPLICA_URL: 'postgres://a@replica/c',
      },
    });
    expect(primary.host).toBe('write');
    expect(replicas.map(({ host }) => host)).toEqual(['read1', 'read2', 'replica']);
    expect(sources.url).toBe('DATABASE_WRITE_URL');
    expect((await resolvePostgres({ env: { DATABASE_WRITE_URL: 'postgres://a@write/c' } })).replicas).toEqual(
      [],
    );
  });

  it('P19 in code leaves the environment’s readers aside; readers in code join its primary', async () => {
    const env = { DATABASE_URL: 'postgres://a@b/c', DATABASE_READ_URL: 'postgres://a@read/c' };
    const code = await resolvePostgres({ given: 'postgres://a@code/c', env });
    expect(code.replicas).toEqual([]);
    const both = await resolvePostgres({ given: { readUrls: ['postgres://a@mine/c'] }, env });
    expect([both.primary.host, ...both.replicas.map(({ host }) => host)]).toEqual(['b', 'mine']);
  });

  it('of a reader may on SQLite be the same file, which changes nothing', async () => {
    const env = { DATABASE_URL: 'sqlite:a.db', DATABASE_READ_URL: 'file:a.db' };
    expect(await resolveIn({ env })).toMatchObject({ dialect: 'sqlite' });
  });

  it('M9 decides the engine and its section of the file; options of the other do no harm', async () => {
    const files = {
      'config/database.yaml':
        'database:\n  engine: sqlite\n  sqlite: { path: a.db, pool_size: 3 }\n  postgres: { pool_size: 8 }',
    };
    const given = {
      durability: 'process',
      sqlite: { foreignKeys: false },
      initScript: 'missing.sql',
    } as const;
    const production = await resolvePostgres({ given, files, env: { DATABASE_URL: 'postgres://a@b/c' } });
    expect(production.pool.max).toBe(8);
    expect((await resolveSqlite({ files })).pool.max).toBe(3);
  });

  it('J2 of a database comes from its section; an unregistered one is configured like main', async () => {
    const files = {
      'config/database.yaml':
        'databases:\n  main: { sqlite: { path: a.db } }\n  analytics: { sqlite: { path: b.db } }',
    };
    const env = { DB_POOL_MAX: '2' };
    const analytics = await resolveSqlite({
      given: { name: 'analytics' },
      files,
      env: { ...env, DATABASE_URL: 'c.db' },
    });
    expect(analytics).toMatchObject({
      name: 'analytics',
      path: expect.stringMatching(/b\.db$/),
      pool: { max: 2 },
    });
    const unnamed = await resolveSqlite({ given: { name: false }, files });
    expect(unnamed).toMatchObject({ name: false, path: expect.stringMatching(/a\.db$/) });
  });

  it('from millpond.config.ts is used where nothing nearer names one', async () => {
    const files = { 'millpond.config.ts': 'export default { url: "sqlite:from-file.db?pool_min=0" };' };
    const { path, pool, sources } = await resolveSqlite({ files });
    expect(path).toMatch(/from-file\.db$/);
    expect(pool.min).toBe(0);
    expect(sources['pool.min']).toBe('millpond.config.ts');
  });
});
