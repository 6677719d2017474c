import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import {
  migrate,
  migrationStatus,
  resolveMigration,
  revert,
  type MigrationProgress,
} from '../../../src/migrate/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { MIGRATION_RUNNER } from '../../fixtures/migration-runner.ts';
import { runScript } from '../../fixtures/run-script.ts';
import { expectAtRest, rejection } from '../../fixtures/scratch-database.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

async function open(url: string): Promise<Database> {
  const db = await openDatabase({ url, name: false, log: 'silent', healthCheck: { enabled: false } });
  onTestFinished(() => db.close({ timeoutMs: 1_000 }));
  return db;
}

async function start(
  files: Readonly<Record<string, string>>,
): Promise<{ db: Database; folder: string; url: string }> {
  const url = await sharedPostgresDatabase();
  return { db: await open(url), folder: await folderWith(files), url };
}

const USERS = {
  '0001_users.sql': `create table users (id int generated always as identity primary key, name text);
    create function shout() returns trigger as $$ begin new.name = upper(new.name) || ';'; return new; end; $$ language plpgsql;
    create trigger loud before insert on users for each row execute function shout();`,
  '0001_users.down.sql': 'drop table users; drop function shout();',
  '0002_ada.sql': "insert into users (name) values ('Ada'); select '{\"a\":1}'::jsonb ? 'a';",
};

describe('P14, B16: migrations on PostgreSQL', () => {
  test('are applied once, and undone', async () => {
    const { db, folder } = await start(USERS);
    expect((await migrate(db, { folder })).done.map(({ name }) => name)).toEqual(['0001_users', '0002_ada']);
    expect((await migrate(db, { folder })).done).toEqual([]);
    expect(await db.all('select name from users')).toEqual([{ name: 'ADA;' }]);
    expect(await rejection(revert(db, { folder, count: 2 }))).toMatchObject({ kind: 'irreversible' });
    expect(await migrationStatus(db, { folder })).toMatchObject({ isCurrent: true });
    await expectAtRest(db);
  });

  test('that fail leave nothing, and say where in the file', async () => {
    const { db, folder } = await start({
      '1_a.sql': 'create table a (id int);\n insert into nowhere values (1)',
    });
    const error = await rejection(migrate(db, { folder }));
    expect(error).toMatchObject({ kind: 'failed', line: 2 });
    expect(await db.value("select to_regclass('a')")).toBe(null);
    expect(await migrationStatus(db, { folder })).toMatchObject({ pending: ['1_a'], faults: [] });
    await expectAtRest(db);
  });

  test('without a transaction build an index beside writers, and block when they end halfway', async () => {
    const { db, folder } = await start({
      '1_a.sql': 'create table a (id int); insert into a values (1), (1)',
      '2_index.sql': '-- millpond: no-transaction\ncreate index concurrently i on a (id);',
      '3_unique.sql': '-- millpond: no-transaction\ncreate unique index concurrently u on a (id);',
    });
    const error = await rejection(migrate(db, { folder }));
    expect(error.message).toContain('3_unique.sql:2:1: ');
    expect(await db.value("select to_regclass('i')")).not.toBe(null);
    expect(await rejection(migrate(db, { folder }))).toMatchObject({ kind: 'dirty' });
    await db.run('drop index u');
    await db.run('delete from a');
    await resolveMigration(db, { folder, name: '3_unique', as: 'not-applied' });
    expect((await migrate(db, { folder })).done.map(({ name }) => name)).toEqual(['3_unique']);
    await expectAtRest(db);
  });

  test('wait for the holder of the lock as long as they were told, and say who it is', async () => {
    const { db, folder, url } = await start({ '1_a.sql': 'create table a (id int); select pg_sleep(3)' });
    const other = await open(url);
    let seen: Promise<Error & Record<string, unknown>> | undefined;
    const onProgress = ({ statementsDone }: MigrationProgress): void => {
      if (statementsDone === 1) seen = rejection(migrate(other, { folder, lockTimeoutMs: 20 }));
    };
    await migrate(db, { folder, onProgress });
    expect(await seen).toMatchObject({
      kind: 'locked',
      retryable: true,
      message: expect.stringContaining('the server process'),
    });
    await expectAtRest(other);
  });

  test('C54: are applied once by eight processes at once', async () => {
    const files: Record<string, string> = {};
    for (let number = 1; number <= 8; number += 1)
      files[`${number}_t.sql`] = `create table t${number} (id int)`;
    const { db, folder, url } = await start(files);
    const args = [url, folder, '30000', 'run'];
    const ends = await Promise.all(Array.from({ length: 8 }, () => runScript(MIGRATION_RUNNER, { args })));
    const done = ends.flatMap(
      ({ lines, stderr }) => (lines[0] as { done: string[] } | undefined)?.done ?? stderr,
    );
    expect(done.toSorted()).toEqual(Object.keys(files).map((file) => file.replace('.sql', '')));
    expect(await migrationStatus(db, { folder })).toMatchObject({ isCurrent: true });
  });

  test('C53: whose backend is terminated at any statement leave before or after', async () => {
    const files: Record<string, string> = {};
    for (let number = 1; number <= 3; number += 1)
      files[`${number}_t.sql`] =
        `create table t${number} (id int); insert into t${number} values (1); create index i${number} on t${number} (id)`;
    const { db: admin, folder, url } = await start(files);
    for (let kill = 1; kill <= 12; kill += 1) {
      const db = await open(url);
      let [steps, killed] = [0, Promise.resolve<unknown>(undefined)];
      const onProgress = (): void => {
        steps += 1;
        if (steps !== kill) return;
        killed = admin.value(
          "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database() and state like '%in transaction%'",
        );
      };
      await migrate(db, { folder, onProgress }).catch((error: unknown) => error);
      await killed;
      await db.close();
      const { applied, faults } = await migrationStatus(admin, { folder });
      expect(faults).toEqual([]);
      const tables = await admin.value("select count(*)::int from pg_class where relname ~ '^t[0-9]$'");
      expect(tables, `killed at step ${kill}`).toBe(applied.length);
      await migrate(admin, { folder });
      for (let number = 1; number <= 3; number += 1)
        expect(await admin.value(`select count(*)::int from t${number}`)).toBe(1);
      await admin.script('drop table t1, t2, t3, millpond_migrations');
    }
    await expectAtRest(admin);
  });

  test('a table is not rebuilt without foreign keys here', async () => {
    const { db } = await start({});
    await expect(db.transaction((tx) => tx.value('select 1'), { foreignKeys: false })).rejects.toThrow(
      'is for SQLite',
    );
  });
});
