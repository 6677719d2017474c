import { describe, expect, it } from 'vitest';
import { findMisspeltAddress, readEnvironment } from './environment.ts';
import type { Layer } from './layer.ts';
import { Problems } from './problems.ts';

const toVariables = (
  values: Record<string, string>,
): ReadonlyMap<string, { value: string; source: string }> =>
  new Map(Object.entries(values).map(([name, value]) => [name, { value, source: 'environment' }]));

function read(values: Record<string, string>, isMain: boolean = true): Layer {
  const problems = new Problems();
  const layer = readEnvironment(toVariables(values), isMain, problems);
  problems.throwIfAny();
  return layer;
}

describe('the environment', () => {
  it('P6 P7 P4 T6 sets the options that have a variable, bare numbers in seconds', () => {
    const { settings } = read({
      DB_POOL_MAX: '12',
      DB_POOL_IDLE_TIMEOUT: '30',
      DB_HEALTH_CHECK_ENABLED: 'false',
      DB_HEALTH_CHECK_INTERVAL: '60',
      DB_HEALTH_CHECK_RECONNECT: 'no',
      DB_HEALTH_CHECK_MAX_RETRIES: '5',
      DB_HEALTH_CHECK_RETRY_INTERVAL: '2500ms',
      TRANSACTION_TIMEOUT: '0',
      MILLPOND_POOLED: 'false',
      AUTO_MIGRATE: 'true',
      MILLPOND_MONITOR_TOKEN: 'is for the monitor',
    });
    expect(Object.fromEntries(settings.map(({ option, value }) => [option, value]))).toEqual({
      'pool.max': 12,
      'pool.idleTimeoutMs': 30_000,
      'healthCheck.enabled': false,
      'healthCheck.intervalMs': 60_000,
      'healthCheck.reconnect': false,
      'healthCheck.maxRetries': 5,
      'healthCheck.retryIntervalMs': 2_500,
      transactionTimeoutMs: 0,
      pooled: false,
      autoMigrate: true,
    });
    expect(settings[0]).toMatchObject({ key: 'DB_POOL_MAX', source: 'environment' });
  });

  it('P19 gives the primary, a write side and lists of readers', () => {
    const layer = read({
      DATABASE_URL: 'postgres://a',
      DATABASE_WRITE_URL: 'postgres://b',
      DATABASE_READ_URL: 'postgres://c, postgres://d',
      DATABASE_REPLICA_URL: 'postgres://e',
    });
    expect(layer.url?.url).toBe('postgres://a');
    expect(layer.writeUrl?.url).toBe('postgres://b');
    expect(layer.readUrls.map(({ url, key }) => [url, key])).toEqual([
      ['postgres://c', 'DATABASE_READ_URL'],
      ['postgres://d', 'DATABASE_READ_URL'],
      ['postgres://e', 'DATABASE_REPLICA_URL'],
    ]);
  });

  it('J2 gives no address to a database that is not main', () => {
    const layer = read({ DATABASE_URL: 'sqlite:app.db', DATABASE_READ_URL: '', DB_POOL_MAX: '3' }, false);
    expect(layer).toMatchObject({ url: undefined, writeUrl: undefined, readUrls: [] });
    expect(layer.settings).toHaveLength(1);
  });

  it('leaves alone what is not ours', () => {
    expect(
      read({ PATH: '/bin', DB_HOST: 'x', DATABASE: 'x', TRANSACTION: 'x', NODE_ENV: 'production' }).settings,
    ).toEqual([]);
  });

  it('C57 refuses names that are nearly or by their beginning ours', () => {
    const values = {
      DB_POOL: '0',
      DB_POOL_MXA: '5',
      MILLPOND_POOLD: '1',
      TRANSACTION_TIMOUT: '3',
      'DB_POOL_@:': '1',
    };
    expect(() => read(values)).toThrow(
      [
        '  - DB_POOL (environment): is not a variable of millpond; did you mean DB_POOL_MAX?',
        '  - DB_POOL_MXA (environment): is not a variable of millpond; did you mean DB_POOL_MAX?',
        '  - MILLPOND_POOLD (environment): is not a variable of millpond; did you mean MILLPOND_POOLED?',
        '  - TRANSACTION_TIMOUT (environment): is not a variable of millpond; did you mean ' +
          'TRANSACTION_TIMEOUT?',
        '  - (unreadable name) (environment): is not a variable of millpond; there are: DB_POOL_MAX, ',
      ].join('\n'),
    );
  });

  it('finds a misspelt address among the variables', () => {
    expect(findMisspeltAddress(toVariables({ PATH: '', DATABSE_URL: 'x' }))).toEqual({
      name: 'DATABSE_URL',
      meant: 'DATABASE_URL',
    });
    expect(findMisspeltAddress(toVariables({ PATH: '', DATABASE_URL: 'x' }))).toBeUndefined();
  });
});
