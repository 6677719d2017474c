import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database, type DatabaseOptions } from '../../../src/index.ts';
import {
  baselineMigrations,
  createMigration,
  migrate,
  migrationStatus,
  resolveMigration,
  revert,
  verifyMigrations,
  type MigrationProgress,
} from '../../../src/migrate/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { expectAtRest, rejection } from '../../fixtures/scratch-database.ts';
import { usersMigrations } from '../../fixtures/users-migrations.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const USERS = usersMigrations(
  'create table users (id int generated always as identity primary key, name text not null);',
);

interface Started {
  readonly db: Database;
  readonly folder: string;
  readonly url: string;
}

async function open(options: DatabaseOptions): Promise<Database> {
  const db = await openDatabase({ name: false, log: 'silent', healthCheck: { enabled: false }, ...options });
  onTestFinished(() => db.close({ timeoutMs: 1_000 }));
  return db;
}

async function start(files: Readonly<Record<string, string>>): Promise<Started> {
  const url = await sharedPostgresDatabase();
  return { db: await open({ url }), folder: await folderWith(files), url };
}

const names = (result: { readonly done: readonly { readonly name: string }[] }) =>
  result.done.map(({ name }) => name);
const tablesOf = (db: Database) =>
  db.value(
    "select count(*)::int from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
  );

describe('P14, B16: a history on PostgreSQL', () => {
  test('goes forward in order and back from the last, as far as it is told', async () => {
    const { db, folder } = await start(USERS);
    expect(names(await migrate(db, { folder }))).toEqual(['0001_users', '0002_ada']);
    expect(names(await revert(db, { folder }))).toEqual(['0002_ada']);
    expect(await db.value('select count(*)::int from users')).toBe(0);
    expect(names(await revert(db, { folder, count: 5 }))).toEqual(['0001_users']);
    expect(names(await revert(db, { folder }))).toEqual([]);
    expect(names(await migrate(db, { folder, to: '0001_users' }))).toEqual(['0001_users']);
    expect(await migrationStatus(db, { folder })).toMatchObject({ isCurrent: false, pending: ['0002_ada'] });
    await migrate(db, { folder });
    expect(names(await revert(db, { folder, to: '0001_users' }))).toEqual(['0002_ada']);
    await expectAtRest(db);
  });

  test('is only reported with dryRun', async () => {
    const { db, folder } = await start(USERS);
    expect(names(await migrate(db, { folder, dryRun: true }))).toEqual(['0001_users', '0002_ada']);
    expect(await tablesOf(db)).toBe(0);
    await migrate(db, { folder });
    expect(names(await revert(db, { folder, count: 2, dryRun: true }))).toEqual(['0002_ada', '0001_users']);
    expect(await db.value('select count(*)::int from users')).toBe(2);
  });

  test('is announced, shows its progress, and is rolled back by an abort and by what a callback throws', async () => {
    const { db, folder } = await start(USERS);
    const heard: unknown[] = [];
    db.on('migration:end', ({ migration, error }) => heard.push([migration, error === undefined]));
    const abort = new AbortController();
    const steps: string[] = [];
    const stop = ({ index, statementsDone, statements }: MigrationProgress): void => {
      steps.push(`${index}:${statementsDone}/${statements}`);
      if (index === 2 && statementsDone === 1) abort.abort(new Error('stopped'));
    };
    await expect(migrate(db, { folder, signal: abort.signal, onProgress: stop })).rejects.toThrow('stopped');
    expect(steps).toEqual(['1:0/1', '1:1/1', '2:0/2', '2:1/2']);
    expect(heard).toEqual([
      ['0001_users', true],
      ['0002_ada', false],
    ]);
    const fail = () => {
      throw new Error('no bar');
    };
    await expect(migrate(db, { folder, onProgress: fail })).rejects.toThrow('no bar');
    expect(await db.value('select count(*)::int from users')).toBe(0);
    expect(await migrationStatus(db, { folder })).toMatchObject({ pending: ['0002_ada'] });
    await expectAtRest(db);
  });

  test('refuses what was edited, removed or squeezed in, and keeps to it with other line endings', async () => {
    const { db, folder } = await start(USERS);
    await migrate(db, { folder });
    const file = join(folder, '0002_ada.sql');
    const text = await readFile(file, 'utf8');
    await writeFile(file, `\uFEFF${text.replaceAll('\n', '\r\n')}`);
    expect(await verifyMigrations(db, { folder })).toMatchObject({ isCurrent: true });
    await writeFile(file, text.replace('Bob', 'Eve'));
    await writeFile(join(folder, '0000_early.sql'), 'select 1');
    await writeFile(join(folder, '0003_more.sql'), 'create table more (id int)');
    const error = await rejection(migrate(db, { folder }));
    expect((error['faults'] as { kind: string }[]).map(({ kind }) => kind).sort()).toEqual([
      'edited',
      'reordered',
    ]);
    await writeFile(file, text);
    await rm(join(folder, '0000_early.sql'));
    await rm(join(folder, '0001_users.sql'));
    await rm(join(folder, '0001_users.down.sql'));
    expect(await rejection(verifyMigrations(db, { folder }))).toMatchObject({ kind: 'missing' });
    expect(await tablesOf(db)).toBe(2);
  });

  test('begins with a baseline where the schema is there already', async () => {
    const { db, folder } = await start(USERS);
    await db.script(USERS['0001_users.sql']);
    expect(await baselineMigrations(db, { folder, to: '0001_users' })).toEqual(['0001_users']);
    expect(names(await migrate(db, { folder }))).toEqual(['0002_ada']);
    await expect(baselineMigrations(db, { folder })).rejects.toThrow('for a database without one');
  });

  test('is one of several, in tables of their own and in the schema that is searched', async () => {
    const { db, folder, url } = await start(USERS);
    await db.script('create schema app');
    const other = await open({ url: `${url}?options=-c%20search_path%3Dapp` });
    expect(names(await migrate(other, { folder, table: 'app_history' }))).toHaveLength(2);
    expect(await db.value('select count(*)::int from app.app_history')).toBe(2);
    expect(await tablesOf(db)).toBe(0);
    expect(names(await migrate(other, { folder, table: 'app_history' }))).toEqual([]);
    expect(names(await migrate(db, { folder }))).toHaveLength(2);
  });
});

describe('B16: on PostgreSQL a migration without a transaction', () => {
  const FILES = {
    '1_a.sql': '-- millpond: no-transaction\ncreate table a (id int);\ninsert into b values (1);',
    '1_a.down.sql': '-- millpond: no-transaction\ndrop table a; drop table nowhere',
  };

  test('that fails blocks everybody until somebody has looked', async () => {
    const { db, folder } = await start(FILES);
    const error = await rejection(migrate(db, { folder }));
    expect(error).toMatchObject({ kind: 'failed', line: 3 });
    expect(await tablesOf(db)).toBe(2);
    for (const call of [migrate, revert, verifyMigrations])
      expect(await rejection(call(db, { folder }))).toMatchObject({ kind: 'dirty' });
    expect(await migrationStatus(db, { folder })).toMatchObject({ unfinished: { name: '1_a' } });
    await resolveMigration(db, { folder, name: '1_a', as: 'applied' });
    expect(await migrationStatus(db, { folder })).toMatchObject({ isCurrent: true });
    await rejection(revert(db, { folder }));
    expect(await migrationStatus(db, { folder })).toMatchObject({ unfinished: { state: 'reverting' } });
    await resolveMigration(db, { folder, name: '1_a', as: 'not-applied' });
    expect(await migrationStatus(db, { folder })).toMatchObject({ pending: ['1_a'], unfinished: undefined });
    await expectAtRest(db);
  });

  test('runs what the server refuses in a transaction, alone among many', async () => {
    const { db, folder } = await start({
      '1_kinds.sql': "create type mood as enum ('fine'); create table a (id int)",
      '2_more.sql': "-- millpond: no-transaction\nalter type mood add value 'well';\nvacuum a;",
      '3_index.sql':
        '-- millpond: no-transaction\ncreate index concurrently on a (id);\nreindex index concurrently a_id_idx',
      '3_index.down.sql': '-- millpond: no-transaction\ndrop index concurrently a_id_idx',
    });
    expect(names(await migrate(db, { folder }))).toEqual(['1_kinds', '2_more', '3_index']);
    expect(names(await revert(db, { folder }))).toEqual(['3_index']);
    await expectAtRest(db);
  });

  test('is said by the error where a file forgot it', async () => {
    const { db, folder } = await start({
      '1_a.sql': 'create table a (id int);\ncreate index concurrently on a (id)',
    });
    const error = await rejection(migrate(db, { folder }));
    expect(error).toMatchObject({ kind: 'failed', line: 2 });
    expect(error.message).toMatch(/cannot (?:run|be executed) inside a transaction block/);
    expect(await tablesOf(db)).toBe(0);
  });
});

describe('P14: on PostgreSQL, at the start', () => {
  test('autoMigrate applies what is pending, and health tells what is', async () => {
    const url = await sharedPostgresDatabase();
    const folder = await folderWith(USERS);
    const looking = await open({ url, migrationsFolder: folder });
    expect(await looking.health()).toMatchObject({
      ready: false,
      notReady: ['2 migrations are pending, from "0001_users" on.'],
    });
    const db = await open({ url, migrationsFolder: folder, autoMigrate: true });
    expect(await db.value('select count(*)::int from users')).toBe(2);
    expect(await looking.health()).toMatchObject({ ready: true });
    await writeFile(join(folder, '0003_x.sql'), 'nonsense');
    await expect(
      openDatabase({ url, name: false, log: 'silent', migrationsFolder: folder, autoMigrate: true }),
    ).rejects.toThrow('0003_x.sql:1:1');
  });
});

describe("drizzle-kit's folder on PostgreSQL", () => {
  const journal = (dialect: string) =>
    JSON.stringify({
      version: '7',
      dialect,
      entries: [
        { idx: 0, version: '7', when: 1, tag: '0000_brave', breakpoints: true },
        { idx: 1, version: '7', when: 2, tag: '0001_calm', breakpoints: true },
      ],
    });
  const FILES = {
    '0000_brave.sql': 'CREATE TABLE "a" (\n\t"id" serial PRIMARY KEY NOT NULL\n);\n',
    '0001_calm.sql':
      'ALTER TABLE "a" ADD COLUMN "n" text;--> statement-breakpoint\nCREATE INDEX "i" ON "a" USING btree ("n");',
    '0001_calm.down.sql': 'alter table "a" drop column "n"',
  };

  test('is read in the order of its journal, and back', async () => {
    const { db, folder } = await start({ ...FILES, 'meta/_journal.json': journal('postgresql') });
    expect(names(await migrate(db, { folder }))).toEqual(['0000_brave', '0001_calm']);
    expect(names(await revert(db, { folder }))).toEqual(['0001_calm']);
    await expect(createMigration({ folder, name: 'x' })).rejects.toThrow('drizzle-kit generate');
  });

  test('C55: is refused where it was written for SQLite', async () => {
    const { db, folder } = await start({ ...FILES, 'meta/_journal.json': journal('sqlite') });
    await expect(migrate(db, { folder })).rejects.toThrow('written for sqlite');
    expect(await tablesOf(db)).toBe(0);
  });
});
