import { describe, expect, it } from 'vitest';
import type { ConfigError, ConfigProblem } from '../errors/index.ts';
import { readOptionsObject } from './given-options.ts';
import type { Layer } from './layer.ts';
import { Problems } from './problems.ts';

function read(given: unknown): { layer: Layer; problems: readonly ConfigProblem[] } {
  const problems = new Problems();
  const layer = readOptionsObject(given, { source: 'options', prefix: '', takesName: true }, problems);
  try {
    problems.throwIfAny();
    return { layer, problems: [] };
  } catch (error) {
    return { layer, problems: (error as ConfigError).problems };
  }
}
const problemsOf = (given: unknown): string[] =>
  read(given).problems.map(({ key, message }) => `${key} ${message}`);

describe('an options object', () => {
  it('gives its options by their full names, and its addresses', () => {
    const { layer, problems } = read({
      url: 'postgres://a',
      readUrls: ['postgres://b'],
      name: false,
      readOnly: undefined,
      log: 'debug',
      pool: { max: 3, min: undefined },
      sqlite: undefined,
    });
    expect(problems).toEqual([]);
    expect(layer.settings).toEqual([
      { option: 'log', value: 'debug', key: 'log', source: 'options' },
      { option: 'pool.max', value: 3, key: 'pool.max', source: 'options' },
    ]);
    expect(layer.url).toEqual({ url: 'postgres://a', key: 'url', source: 'options' });
    expect(layer.readUrls).toEqual([{ url: 'postgres://b', key: 'readUrls.0', source: 'options' }]);
  });

  it('S10 takes a logger with the four methods, a class’s too, and no other', () => {
    class Log {
      debug(): void {}
      info(): void {}
      warn(): void {}
      error(): void {}
    }
    const log = new Log();
    expect(read({ log }).layer.settings[0]?.value).toBe(log);
    expect(problemsOf({ log: { info: () => undefined } })).toEqual([
      'log is an object; allowed: "silent", "error", "warn", "info" or "debug", ' +
        'or in code a logger with the methods debug, info, warn and error',
    ]);
  });

  it('reports a wrong value once, in our words, and keeps the right ones', () => {
    const { layer, problems } = read({ pool: { max: 0.5, min: 2 }, queryTimeoutMs: '5s' });
    expect(problems).toEqual([
      {
        key: 'queryTimeoutMs',
        source: 'options',
        message: 'is "5s"; allowed: whole milliseconds from 0 to 86,400,000',
      },
      { key: 'pool.max', source: 'options', message: 'is 0.5; allowed: a whole number from 1 to 1,000' },
    ]);
    expect(layer.settings.map(({ option }) => option)).toEqual(['pool.min']);
  });

  it.each([
    [{ maxx: 1 }, 'maxx is not an option; did you mean pool.max?', false],
    [{ pool: { maxx: 1 } }, 'pool.maxx is not an option; did you mean max?', true],
    [
      { pool: { acquireTimeout: 1 } },
      'pool.acquireTimeout is not an option; did you mean acquireTimeoutMs?',
      true,
    ],
    [{ journalMode: 'wal' }, 'journalMode is not an option; did you mean sqlite.journalMode?', true],
    [
      { healthCheck: { x: 1 } },
      'healthCheck.x is not an option; there are: enabled, intervalMs, reconnect, maxRetries, ',
      true,
    ],
    [{ ['a b']: 1 }, '(unreadable name) is not an option', true],
    [JSON.parse('{"__proto__": {"pooled": false}}'), '__proto__ is not an option', true],
  ])('refuses the unknown key of %j', (given, message, isFound) => {
    expect(problemsOf(given)[0]?.startsWith(message)).toBe(isFound);
  });

  it.each([
    [null, 'is null'],
    [7, 'is 7'],
    [[], 'is a list'],
    [new URL('postgres://app:CANARY@db/main'), 'is an object'],
    [new Map(), 'is an object'],
    [() => undefined, 'is a function'],
  ])('refuses %s in its place', (given, message) => {
    expect(problemsOf(given)).toEqual([`options ${message}; allowed: an object with options, made by { … }`]);
  });

  it('refuses a group that is a class’s object, whose contents it would overlook', () => {
    expect(problemsOf({ healthCheck: new Map([['enabled', false]]) })[0]).toMatch(
      /^healthCheck is an object of a class; allowed:/,
    );
  });

  it.each([
    [{ url: '' }, 'url is ""; allowed: a database URL, at most 4,096 characters'],
    [{ url: `postgres://app:CANARY@${'x'.repeat(5_000)}` }, 'url is "postgres://app:***@xxx'],
    [{ url: 7 }, 'url is 7; allowed: a database URL'],
    [
      { readUrls: 'postgres://app:CANARY@db' },
      'readUrls is "postgres://app:***@db"; allowed: a list of at most 100',
    ],
    [{ readUrls: ['postgres://b', 5] }, 'readUrls.1 is 5; allowed: a database URL'],
    [{ pool: 5 }, 'pool is 5; allowed: an object with max, acquireTimeoutMs, min,'],
    [{ pool: null }, 'pool is null; allowed: an object with'],
    [{ name: '9' }, 'name is "9"; allowed: false, or a name of at most 64 letters'],
    [{ name: true }, 'name is true; allowed: false, or a name'],
    [{ initScript: 'https://app:CANARY@host/a' + 'x'.repeat(4_096) }, 'initScript is "https://app:***@host/'],
    [{ statementCacheSize: 10n }, 'statementCacheSize is 10n; allowed: a whole number'],
  ])('refuses case %#', (given, message) => {
    expect(problemsOf(given)[0]).toContain(message);
    expect(problemsOf(given).join()).not.toContain('CANARY');
  });
});
