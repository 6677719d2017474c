import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
import { openDatabase, type Database } from '../../../src/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { expectAtRest, openScratch, rejection, scratchPath } from '../../fixtures/scratch-database.ts';
import { usersMigrations } from '../../fixtures/users-migrations.ts';

const USERS = usersMigrations('create table users (id integer primary key, name text not null);');

async function start(files: Readonly<Record<string, string>>): Promise<{ db: Database; folder: string }> {
  const { db } = await openScratch('');
  return { db, folder: await folderWith(files) };
}

const names = (result: { readonly done: readonly { readonly name: string }[] }) =>
  result.done.map(({ name }) => name);

describe('P14, B16: migrations', () => {
  test('are applied in their order, once, and undone from the last', async () => {
    const { db, folder } = await start(USERS);
    expect(names(await migrate(db, { folder }))).toEqual(['0001_users', '0002_ada']);
    expect(names(await migrate(db, { folder }))).toEqual([]);
    expect(await db.all('select name from users')).toEqual([{ name: 'Ada' }, { name: 'Bob' }]);
    expect(names(await revert(db, { folder }))).toEqual(['0002_ada']);
    expect(await db.value('select count(*) from users')).toBe(0);
    expect(names(await revert(db, { folder, count: 5 }))).toEqual(['0001_users']);
    expect(names(await revert(db, { folder }))).toEqual([]);
    expect(names(await migrate(db, { folder, to: '0001_users' }))).toEqual(['0001_users']);
    expect(await migrationStatus(db, { folder })).toMatchObject({ isCurrent: false, pending: ['0002_ada'] });
    await migrate(db, { folder });
    expect(names(await revert(db, { folder, to: '0001_users' }))).toEqual(['0002_ada']);
    await expectAtRest(db);
  });

  test('are told before anything is done with dryRun', async () => {
    const { db, folder } = await start(USERS);
    expect(names(await migrate(db, { folder, dryRun: true }))).toEqual(['0001_users', '0002_ada']);
    expect(await db.value('select count(*) from sqlite_schema')).toBe(0);
    await migrate(db, { folder });
    expect(names(await revert(db, { folder, count: 2, dryRun: true }))).toEqual(['0002_ada', '0001_users']);
    expect(await db.value('select count(*) from users')).toBe(2);
  });

  test('that fail leave nothing, and say where in the file', async () => {
    const { db, folder } = await start({
      ...USERS,
      '0003_wrong.sql': 'create table b (id int);\n\n  insert into nowhere values (1);',
    });
    const error = await rejection(migrate(db, { folder }));
    expect(error).toMatchObject({
      code: 'ERR_MILLPOND_MIGRATION',
      kind: 'failed',
      file: join(folder, '0003_wrong.sql'),
      line: 3,
      cause: { code: 'ERR_MILLPOND_QUERY' },
    });
    expect(error.message).toContain(
      '0003_wrong.sql:3:3: Query "0003_wrong": no such table: nowhere. The migration was rolled back',
    );
    expect(await db.value("select count(*) from sqlite_schema where name = 'b'")).toBe(0);
    expect(await migrationStatus(db, { folder })).toMatchObject({ pending: ['0003_wrong'], faults: [] });
    await writeFile(join(folder, '0003_wrong.sql'), 'create table b (id int)');
    expect(names(await migrate(db, { folder }))).toEqual(['0003_wrong']);
    await expectAtRest(db);
  });

  test('are announced, and show their progress', async () => {
    const { db, folder } = await start({ ...USERS, '0003_wrong.sql': 'nonsense' });
    const heard: unknown[] = [];
    db.on('migration:start', ({ migration, direction, database }) =>
      heard.push(['start', migration, direction, database]),
    );
    db.on('migration:end', ({ migration, error }) => heard.push(['end', migration, error === undefined]));
    const progress: MigrationProgress[] = [];
    await rejection(migrate(db, { folder, onProgress: (one) => progress.push(one) }));
    expect(heard).toEqual([
      ['start', '0001_users', 'up', 'unnamed'],
      ['end', '0001_users', true],
      ['start', '0002_ada', 'up', 'unnamed'],
      ['end', '0002_ada', true],
      ['start', '0003_wrong', 'up', 'unnamed'],
      ['end', '0003_wrong', false],
    ]);
    expect(progress.map(({ index, count, statementsDone }) => [index, count, statementsDone])).toEqual([
      [1, 3, 0],
      [1, 3, 1],
      [2, 3, 0],
      [2, 3, 1],
      [2, 3, 2],
      [3, 3, 0],
    ]);
  });

  test('are rolled back by an abort, and by what the callback throws', async () => {
    const { db, folder } = await start(USERS);
    const abort = new AbortController();
    const stop = ({ index, statementsDone }: MigrationProgress): void => {
      if (index === 2 && statementsDone === 1) abort.abort(new Error('stopped'));
    };
    await expect(migrate(db, { folder, signal: abort.signal, onProgress: stop })).rejects.toThrow('stopped');
    expect(await db.value('select count(*) from users')).toBe(0);
    const fail = () => {
      throw new Error('no bar');
    };
    await expect(migrate(db, { folder, onProgress: fail })).rejects.toThrow('no bar');
    expect(await migrationStatus(db, { folder })).toMatchObject({ pending: ['0002_ada'] });
    await expectAtRest(db);
  });

  test('do not wait for another writer with lockTimeoutMs: 0, and run where there is none', async () => {
    const { db, folder } = await start(USERS);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const holder = db.transaction(async (tx) => {
      await tx.value('select 1');
      hold();
      await released;
    });
    await held;
    const error = await rejection(migrate(db, { folder, lockTimeoutMs: 0 }));
    expect(error).toMatchObject({ kind: 'locked', retryable: true });
    release();
    await holder;
    expect(names(await migrate(db, { folder, lockTimeoutMs: 0 }))).toHaveLength(2);
    await expectAtRest(db);
  });

  test('refuse wrong options, and to run inside a transaction', async () => {
    const { db, folder } = await start(USERS);
    await expect(migrate(db, { folder: '', lockTimeoutMs: -1, too: 1 } as never)).rejects.toThrow(
      /folder must be a string; lockTimeoutMs must be .*; there is no option "too"/,
    );
    await expect(revert(db, { folder, to: '0001_users', count: 1 })).rejects.toThrow('exclude each other');
    await expect(db.transaction(() => migrate(db, { folder }))).rejects.toThrow('cannot run inside one');
    await expect(migrate(db, { folder, to: '9_x' })).rejects.toThrow('no migration "9_x"');
    await migrate(db, { folder });
    await rm(join(folder, '0001_users.down.sql'));
    const error = await rejection(revert(db, { folder, count: 2 }));
    expect(error).toMatchObject({ kind: 'irreversible', file: join(folder, '0001_users.sql') });
    expect(await db.value('select count(*) from users')).toBe(2);
  });
});

describe('B16: a history', () => {
  test('refuses what was edited, and keeps to it with other line endings', async () => {
    const { db, folder } = await start(USERS);
    await migrate(db, { folder });
    const file = join(folder, '0002_ada.sql');
    const text = await readFile(file, 'utf8');
    await writeFile(file, `\uFEFF${text.replaceAll('\n', '\r\n')}`);
    expect(await verifyMigrations(db, { folder })).toMatchObject({ isCurrent: true });
    await writeFile(file, text.replace('Bob', 'Eve'));
    expect(await rejection(verifyMigrations(db, { folder }))).toMatchObject({ kind: 'edited', file });
    expect(await rejection(migrate(db, { folder }))).toMatchObject({ kind: 'edited', file });
    expect(await migrationStatus(db, { folder })).toMatchObject({
      isCurrent: false,
      faults: [{ kind: 'edited' }],
    });
  });

  test('begins with a baseline where the schema is there already', async () => {
    const { db, folder } = await start(USERS);
    await db.script('create table users (id integer primary key, name text not null)');
    expect(await baselineMigrations(db, { folder, to: '0001_users' })).toEqual(['0001_users']);
    expect(names(await migrate(db, { folder }))).toEqual(['0002_ada']);
    await expect(baselineMigrations(db, { folder })).rejects.toThrow('for a database without one');
  });
});

describe('the rebuild of a table', () => {
  const SCHEMA = {
    '1_schema.sql': `create table parents (id integer primary key);
      create table children (id integer primary key, parent integer not null references parents on delete cascade);
      insert into parents values (1); insert into children values (1, 1), (2, 1);`,
  };
  // The shape in which drizzle-kit writes it.
  const REBUILD = `PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE \`__new_parents\` (\`id\` integer PRIMARY KEY, \`name\` text);
--> statement-breakpoint
INSERT INTO \`__new_parents\`("id") SELECT "id" FROM \`parents\`;--> statement-breakpoint
DROP TABLE \`parents\`;--> statement-breakpoint
ALTER TABLE \`__new_parents\` RENAME TO \`parents\`;--> statement-breakpoint
PRAGMA foreign_keys=ON;`;

  test('keeps the rows that refer to it, and checks foreign keys again', async () => {
    const { db, folder } = await start({ ...SCHEMA, '2_rebuild.sql': REBUILD });
    await migrate(db, { folder });
    expect(await db.value('select count(*) from children')).toBe(2);
    await expect(db.run('insert into children (parent) values (99)')).rejects.toThrow('FOREIGN KEY');
    await expectAtRest(db);
  });

  test('is rolled back where it leaves a key broken', async () => {
    const { db, folder } = await start({
      ...SCHEMA,
      '2_rebuild.sql': REBUILD.replace('SELECT "id"', 'SELECT "id" + 1'),
    });
    const error = await rejection(migrate(db, { folder }));
    expect(error.message).toContain('2 rows refer to rows that are not there (children → parents)');
    expect(await db.all('select id from parents')).toEqual([{ id: 1 }]);
    await expectAtRest(db);
  });
});

describe('B16: a migration without a transaction', () => {
  const FILES = {
    '1_a.sql': '-- millpond: no-transaction\ncreate table a (id int);\ninsert into b values (1);',
  };

  test('that fails blocks everybody until somebody has looked', async () => {
    const { db, folder } = await start(FILES);
    const error = await rejection(migrate(db, { folder }));
    expect(error).toMatchObject({ kind: 'failed', line: 3 });
    expect(error.message).toContain('What stands above it in the file has happened');
    expect(await rejection(migrate(db, { folder }))).toMatchObject({ kind: 'dirty' });
    expect(await rejection(revert(db, { folder }))).toMatchObject({ kind: 'dirty' });
    expect(await rejection(verifyMigrations(db, { folder }))).toMatchObject({ kind: 'dirty' });
    expect(await migrationStatus(db, { folder })).toMatchObject({
      isCurrent: false,
      unfinished: { name: '1_a' },
    });
    await resolveMigration(db, { folder, name: '1_a', as: 'applied' });
    expect(await migrationStatus(db, { folder })).toMatchObject({ isCurrent: true });
    await expect(resolveMigration(db, { folder, name: '1_a', as: 'applied' })).rejects.toThrow(
      'not one that',
    );
    await expectAtRest(db);
  });

  test('can be run again once the history knows that nothing is left of it', async () => {
    const { db, folder } = await start(FILES);
    await rejection(migrate(db, { folder }));
    await db.script('drop table a');
    await resolveMigration(db, { folder, name: '1_a', as: 'not-applied' });
    await db.script('create table b (id int)');
    expect(names(await migrate(db, { folder }))).toEqual(['1_a']);
    expect(await db.value('select count(*) from b')).toBe(1);
  });

  test('is undone without one as well', async () => {
    const { db, folder } = await start({
      '1_a.sql': '-- millpond: no-transaction\ncreate table a (id int)',
      '1_a.down.sql': '-- millpond: no-transaction\ndrop table a; drop table nowhere',
    });
    await migrate(db, { folder });
    await rejection(revert(db, { folder }));
    expect(await migrationStatus(db, { folder })).toMatchObject({ unfinished: { state: 'reverting' } });
    await resolveMigration(db, { folder, name: '1_a', as: 'not-applied' });
    expect(await migrationStatus(db, { folder })).toMatchObject({ pending: ['1_a'], unfinished: undefined });
  });
});

describe('at the start', () => {
  test('P14: autoMigrate applies what is pending, and a failure leaves nothing open', async () => {
    const path = scratchPath();
    const folder = await folderWith(USERS);
    const options = {
      url: `sqlite:${path}`,
      name: 'migrated',
      autoMigrate: true,
      migrationsFolder: folder,
      log: 'silent',
    } as const;
    await using db = await openDatabase(options);
    expect(await db.value('select count(*) from users')).toBe(2);
    expect(await db.health()).toMatchObject({ status: 'up', ready: true, notReady: [] });
    await db.close();
    await writeFile(join(folder, '0003_x.sql'), 'nonsense');
    await expect(openDatabase(options)).rejects.toThrow('0003_x.sql:1:1');
    await writeFile(join(folder, '0003_x.sql'), 'create table x (id int)');
    await using again = await openDatabase(options);
    expect(await again.value('select count(*) from x')).toBe(0);
  });

  test('health tells what is pending where the folder is known', async () => {
    const path = scratchPath();
    const folder = await folderWith(USERS);
    await using db = await openDatabase({
      url: `sqlite:${path}`,
      name: false,
      migrationsFolder: folder,
      log: 'silent',
    });
    expect(await db.health()).toMatchObject({
      status: 'up',
      ready: false,
      notReady: ['2 migrations are pending, from "0001_users" on.'],
    });
    await migrate(db, { folder });
    expect(await db.health()).toMatchObject({ ready: true });
  });

  test('health says so while they run and when they failed', async () => {
    const { db, folder } = await start({ '1_a.sql': 'nonsense' });
    let during: unknown;
    const look = () => {
      during ??= db.health();
    };
    await rejection(migrate(db, { folder, onProgress: look }));
    expect(await during).toMatchObject({ ready: false });
    expect((await db.health()).notReady[0]).toContain('The migrations failed: ');
  });
});

describe("drizzle-kit's folder", () => {
  const journal = (entries: readonly object[], dialect = 'sqlite') =>
    JSON.stringify({ version: '7', dialect, entries });
  const FILES = {
    '0000_brave.sql': 'CREATE TABLE `a` (\n\t`id` integer PRIMARY KEY\n);\n',
    '0001_calm.sql': 'ALTER TABLE `a` ADD `n` text;--> statement-breakpoint\nCREATE INDEX `i` ON `a` (`n`);',
    'meta/_journal.json': journal([
      { idx: 0, version: '6', when: 1, tag: '0000_brave', breakpoints: true },
      { idx: 1, version: '6', when: 2, tag: '0001_calm', breakpoints: true },
    ]),
  };

  test('is read in the order of its journal', async () => {
    const { db, folder } = await start(FILES);
    expect(names(await migrate(db, { folder }))).toEqual(['0000_brave', '0001_calm']);
    await expect(createMigration({ folder, name: 'x' })).rejects.toThrow('drizzle-kit generate');
  });

  test.each([
    ['not JSON', '{', 'no journal of drizzle-kit'],
    ['for another engine', journal([{ idx: 0, tag: '0000_brave' }], 'postgresql'), 'written for postgresql'],
    ['with a file that is not there', journal([{ idx: 0, tag: '0000_gone' }]), 'no such file'],
    ['without one that is there', journal([{ idx: 0, tag: '0000_brave' }]), 'does not list it'],
    ['with a way out', journal([{ idx: 0, tag: '../secret' }]), 'is no name of a file'],
    [
      'with a tag twice',
      journal([
        { idx: 0, tag: '0000_brave' },
        { idx: 1, tag: '0000_brave' },
      ]),
      'listed twice',
    ],
    [
      'out of order',
      journal([
        { idx: 1, tag: '0001_calm' },
        { idx: 0, tag: '0000_brave' },
      ]),
      'has idx 0, behind 1',
    ],
  ])('C55: is refused %s', async (_, text, message) => {
    const { db, folder } = await start({ ...FILES, 'meta/_journal.json': text });
    await expect(migrate(db, { folder })).rejects.toThrow(message);
    expect(await db.value('select count(*) from sqlite_schema')).toBe(0);
  });
});

describe('a new migration', () => {
  test('gets the next number, with as many digits', async () => {
    const folder = await folderWith({});
    await createMigration({ folder, name: 'Add users!' });
    await createMigration({ folder, name: 'more', down: false });
    expect((await readdir(folder)).sort()).toEqual([
      '0001_add_users.down.sql',
      '0001_add_users.sql',
      '0002_more.sql',
    ]);
    await expect(createMigration({ folder, name: '  ' })).rejects.toThrow('needs a name');
  });
});
