import { describe, expect, test } from 'vitest';
import { assertNodeVersion, assertSqliteVersion, loadBinding, sqliteVersion } from './binding.ts';

describe('the Node version', () => {
  test('is accepted from 24 on', () => {
    expect(() => assertNodeVersion()).not.toThrow();
    for (const version of ['24.0.0', '26.10.0', '100.0.0'])
      expect(() => assertNodeVersion(version)).not.toThrow();
  });

  test('is refused below, saying what is needed, what is there, and what to do (C58)', () => {
    expect(() => assertNodeVersion('20.20.2')).toThrow(
      expect.objectContaining({
        code: 'ERR_MILLPOND_NODE_VERSION',
        message: expect.stringMatching(
          /needs Node 24 or newer; this is v20\.20\.2 \(.+\)\. .*npm install node@24/,
        ),
      }),
    );
  });

  test('is not enough where node:sqlite was left out of the build', () => {
    const withoutSqlite = () => loadBinding(() => undefined);
    expect(withoutSqlite).toThrow(/built without node:sqlite/);
    expect(withoutSqlite).toThrow(expect.objectContaining({ code: 'ERR_MILLPOND_NODE_VERSION' }));
  });
});

describe('the SQLite version', () => {
  test('is accepted from 3.51.3 on (C58)', () => {
    expect(() => assertSqliteVersion()).not.toThrow();
    for (const version of ['3.51.3', '3.51.10', '3.53.4', '4.0.0']) {
      expect(() => assertSqliteVersion(version)).not.toThrow();
    }
  });

  test.each(['3.51.2', '3.9.0', '3.40.1'])(
    'is refused when it is %s, which can corrupt a file',
    (version) => {
      expect(() => assertSqliteVersion(version)).toThrow(
        expect.objectContaining({
          code: 'ERR_MILLPOND_SQLITE_VERSION',
          message: expect.stringContaining(`needs SQLite 3.51.3 or newer, and this Node carries ${version}`),
        }),
      );
    },
  );

  test('is the one that runs, as SQLite itself tells it', () => {
    expect(sqliteVersion()).toMatch(/^3\.\d+\.\d+$/);
  });
});
