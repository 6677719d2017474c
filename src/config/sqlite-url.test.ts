import { describe, expect, it } from 'vitest';
import { isSqliteUrl, parseSqliteUrl, toSqliteUrl } from './sqlite-url.ts';

const parse = (url: string): unknown => parseSqliteUrl(url, '/srv');

describe('an address of SQLite', () => {
  it.each([
    ['sqlite:data/app.db', '/srv/data/app.db'],
    ['sqlite:./data/app.db', '/srv/data/app.db'],
    ['sqlite:/var/app.db', '/var/app.db'],
    ['sqlite:///var/app.db', '/var/app.db'],
    ['SQLITE:app.db', '/srv/app.db'],
    ['file:app.db', '/srv/app.db'],
    ['file:///var/app.db', '/var/app.db'],
    ['sqlite:no-extension', '/srv/no-extension'],
    ['sqlite:a%20b%23c%3Fd%25.db', '/srv/a b#c?d%.db'],
    ['data/app.db', '/srv/data/app.db'],
    ['/var/app.sqlite', '/var/app.sqlite'],
    ['app.sqlite3', '/srv/app.sqlite3'],
    ['App.DB', '/srv/App.DB'],
    ['a%20b.db', '/srv/a%20b.db'],
    ['a#b@c.db', '/srv/a#b@c.db'],
    ['sqlite::memory:', ':memory:'],
    ['file::memory:', ':memory:'],
    [':memory:', ':memory:'],
  ])('%s names the file %s', (url, path) => {
    expect(isSqliteUrl(url)).toBe(true);
    expect(parse(url)).toEqual({ value: { path, parameters: [] } });
  });

  it.each([['sqlite:app.db?pool_max=4&durability=process'], ['app.db?pool_max=4&durability=process']])(
    '%s carries parameters',
    (url) => {
      const parameters = [
        ['pool_max', '4'],
        ['durability', 'process'],
      ];
      expect(parse(url)).toEqual({ value: { path: '/srv/app.db', parameters } });
    },
  );

  it.each([
    ['sqlite:', 'it names no file'],
    ['sqlite:?pool_max=4', 'it names no file'],
    ['sqlite://', 'it names no file'],
    ['sqlite://data/app.db', 'two slashes name a server'],
    ['sqlite:///', 'it names a folder'],
    ['sqlite:data/', 'it names a folder'],
    ['sqlite:.', 'it names a folder'],
    ['sqlite:data/..', 'it names a folder'],
    ['sqlite:a%00b.db', 'NUL'],
    ['sqlite:100%.db', 'write % as %25'],
    ['sqlite:a#b.db', 'write # as %23'],
    ['sqlite:~/app.db', '~ stands for a home folder only in a shell'],
    ['~/app.db', '~ stands for a home folder only in a shell'],
  ])('%s is refused: %s', (url, fault) => {
    expect(parse(url)).toEqual({ fault: expect.stringContaining(fault) });
  });

  it.each([['postgres://db/main'], ['mysql:app.db'], ['app.txt'], ['app.db.bak'], ['']])(
    '%j is not one',
    (url) => {
      expect(isSqliteUrl(url)).toBe(false);
    },
  );

  it.each([['/srv/data/app.db'], ['/srv/a b?c#d%e&f+g.db'], [':memory:'], ['/srv/ä/ö.db']])(
    'made of the path %s, gives that path back',
    (path) => {
      expect(parse(toSqliteUrl(path))).toEqual({ value: { path, parameters: [] } });
    },
  );
});
