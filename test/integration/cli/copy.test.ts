import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { copyDatabase } from '../../../src/cli/index.ts';
import { openDatabase, sql, type Database } from '../../../src/index.ts';
import { callMillpond } from '../../fixtures/run-cli.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { expectAtRest, openScratch, rejection } from '../../fixtures/scratch-database.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const SCHEMA = `
  create table users (
    id integer primary key autoincrement, name text not null, email varchar(100) collate nocase unique,
    active boolean not null default 1, score real, picture blob, balance decimal(10, 2), born date,
    made text not null default current_timestamp, strange default (1 + 1), flags int default 0x10
  );
  create table "Order Lines" (
    user integer not null references users on delete cascade, line int not null, "select" text default 'it''s',
    total int generated always as (line * 2), primary key (user, line), check (line > 0)
  );
  create table loose (a integer, b);
  create index by_name on users (name desc, score);
  create index lately on users (made) where active = 1;
  create index backwards on users (length(name));
  create table empty (id integer primary key);
  create view v as select * from users;
`;

async function open(url: string): Promise<Database> {
  const db = await openDatabase({ url, name: false, log: 'silent', healthCheck: { enabled: false } });
  onTestFinished(() => db.close({ timeoutMs: 1_000 }));
  return db;
}

async function fill(db: Database): Promise<void> {
  const texts = ['Ada', 'tab\tand\nbreak\r\\back', '💧 ü', '', "it's \\N"];
  for (const [index, name] of texts.entries()) {
    await db.run(sql`insert into users (name, email, active, score, picture, balance, born)
      values (${name}, ${`e${index}@x`}, ${index % 2}, ${[1.5, 1e-7, 1e21, -0.1, null][index]!},
        ${new Uint8Array([0, index, 255, 92])}, ${[1, 2.25, 1e10, -3, null][index]!}, ${'2020-02-03'})`);
  }
  await db.run('delete from users where id = 5');
  await db.run(`insert into "Order Lines" (user, line) values (1, 1), (1, 2), (2, 1)`);
  await db.run(
    "insert into loose values (1, 'x'), (2, 1.5), (9007199254740993, null), (-9223372036854775807 - 1, 'y')",
  );
}

describe('copy', () => {
  test('J14, M9: brings tables, values, keys, indexes and sequences, and says what stayed behind', async () => {
    const { db: source } = await openScratch(SCHEMA);
    await fill(source);
    const target = await open(await sharedPostgresDatabase());
    const { tables, warnings } = await copyDatabase(source, target);
    expect(Object.fromEntries(tables.map(({ name, rows }) => [name, rows]))).toEqual({
      users: 4,
      'Order Lines': 3,
      loose: 4,
      empty: 0,
    });
    expect(warnings.toSorted()).toMatchObject([
      expect.stringContaining('CHECK constraints of Order Lines'),
      expect.stringContaining('Order Lines.total is generated'),
      'loose.b holds texts and numbers: it became text',
      expect.stringContaining('the index lately of users did not come along'),
      expect.stringContaining('the view v did not come along'),
      expect.stringContaining('users.flags has a default that only SQLite understands'),
      expect.stringContaining('users.strange has a default that only SQLite understands'),
    ]);
    for (const query of [
      'select id, name, email, score, picture, born from users order by id',
      'select * from "Order Lines" order by 1, 2',
      'select a from loose order by a',
    ])
      expect(await target.all(query)).toEqual(await source.all(query));
    expect(await target.all('select active, balance::float8 as balance from users order by id')).toEqual([
      { active: false, balance: 1 },
      { active: true, balance: 2.25 },
      { active: false, balance: 1e10 },
      { active: true, balance: -3 },
    ]);
    // As SQLite would: 5 was given out once.
    expect(await target.value("insert into users (name) values ('New') returning id")).toBe(6);
    await expect(target.run("insert into users (name, email) values ('x', 'E1@X')")).rejects.toMatchObject({
      kind: 'unique',
    });
    await expect(target.run('insert into "Order Lines" ("user", line) values (99, 1)')).rejects.toMatchObject(
      { kind: 'foreign-key' },
    );
    await target.run('delete from users where id = 1');
    expect(await target.value('select count(*)::int from "Order Lines"')).toBe(1);
    expect(
      await target.value(
        "select made ~ '^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$' from users where name = 'New'",
      ),
    ).toBe(true);
    await expectAtRest(source);
    await expectAtRest(target);
  });

  test('widens what holds other values than it declares, and says so', async () => {
    const { db: source } = await openScratch(`
      create table t (i int, b bool, r int, n numeric, k text primary key);
      insert into t values (1, 1, 1, 1, 'a'), ('x', 7, 1.5, 'y', null)`);
    const target = await open(await sharedPostgresDatabase());
    const { warnings } = await copyDatabase(source, target);
    expect(warnings).toEqual(
      [
        't.i is declared INT and holds other values: it became text',
        't.b is declared bool and holds other values: it became bigint',
        't.r is declared INT and holds other values: it became double precision',
        't.n is declared numeric and holds other values: it became text',
        't has nulls in its primary key: it became a unique index',
      ].map((text) => expect.stringMatching(new RegExp(`^${text.replaceAll('.', '\\.')}$`, 'i'))),
    );
    expect(await target.all('select i, b, r, n from t order by r')).toEqual([
      { i: '1', b: 1, r: 1, n: '1' },
      { i: 'x', b: 7, r: 1.5, n: 'y' },
    ]);
  });

  test('keeps every digit and byte of mixed values, and says what became of them', async () => {
    const { db: source } = await openScratch(`
      create table m (id integer primary key, i int, n numeric, u, t text, d date, r real);
      insert into m values
        (1, 9007199254740993, 9007199254740993, x'00ff', x'5c00', '2024-02-29', 1e308),
        (2, 0.1, 1e-7, 'x', 'a', 1709164800, -0.0), (3, null, 1152921504606846976.0, 3, '�', null, 9e999),
        (4, -9223372036854775808, 1e21, null, '', 2.5, 3), (5, 2, 12345678901234567890, 2.5, 'ü', '', null)`);
    const target = await open(await sharedPostgresDatabase());
    const { warnings } = await copyDatabase(source, target);
    expect(warnings).toEqual([
      'm.i is declared INT and holds other values: it became numeric',
      'm.u holds texts and numbers: it became text',
      'm.u holds blobs: they became their hexadecimal digits',
      'm.t holds blobs: they became their hexadecimal digits',
    ]);
    const read = await target.all('select i::text, n::text, u, t, d, r from m order by id');
    expect(read).toEqual([
      { i: '9007199254740993', n: '9007199254740993', u: '00ff', t: '5c00', d: '2024-02-29', r: 1e308 },
      { i: '0.1', n: '0.0000001', u: 'x', t: 'a', d: '1709164800', r: 0 },
      { i: null, n: '1152921504606846976', u: '3', t: '�', d: null, r: Infinity },
      { i: '-9223372036854775808', n: '1000000000000000000000', u: null, t: '', d: '2.5', r: 3 },
      { i: '2', n: '12345678901234567000', u: '2.5', t: 'ü', d: '', r: null },
    ]);
  });

  test('brings the defaults of a schema that was written for millpond, and those that are usual', async () => {
    const { db: source } = await openScratch(`create table d (id integer primary key,
      created_at integer not null default (cast(round(unixepoch('subsec') * 1000) as integer)),
      seconds int not null default (unixepoch()), words text default (datetime('now')),
      iso text default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), token text default (lower(hex(randomblob(16)))),
      second int default (strftime('%S', 'now')))`);
    const target = await open(await sharedPostgresDatabase());
    const { warnings } = await copyDatabase(source, target);
    expect(warnings).toEqual([
      expect.stringContaining('d.second has a default that only SQLite understands'),
    ]);
    const row = await target.get<Record<string, string>>('insert into d default values returning *');
    expect(Math.abs(Number(row!['created_at']) - Date.now())).toBeLessThan(60_000);
    expect(Math.abs(Number(row!['seconds']) * 1_000 - Date.now())).toBeLessThan(60_000);
    expect(row!['words']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(new Date(row!['iso']!).toISOString()).toBe(row!['iso']);
    expect(row!['token']).toMatch(/^[\da-f]{32}$/);
  });

  test('leaves behind, with a warning, what only SQLite keeps', async () => {
    const { db: source } = await openScratch(
      `create table Parents (Id integer primary key, name text collate nocase unique);
       create table children (parent int references parents (ID), named text references parents (NAME),
         late int references parents deferrable initially deferred);
       insert into Parents values (1, 'É'), (2, hex(randomblob(9000))), (3, 'a');
       insert into children values (1, 'A', 3), (99, null, null)`,
      { sqlite: { foreignKeys: false } },
    );
    const target = await open(await sharedPostgresDatabase());
    const { warnings } = await copyDatabase(source, target);
    expect(warnings).toEqual([
      'foreign keys of children are checked at once, no longer at COMMIT',
      expect.stringMatching(/^the index sqlite_autoindex_Parents_1 of Parents did not come along: /),
      expect.stringMatching(/^the foreign key \(named\) of children did not come along: /),
      expect.stringMatching(/^the foreign key \(parent\) of children did not come along: /),
    ]);
    expect(warnings.join()).not.toContain('99');
    await expect(target.run('insert into children (late) values (7)')).rejects.toMatchObject({
      kind: 'foreign-key',
    });
    expect(await target.value('select count(*)::int from children')).toBe(2);
    await expectAtRest(target);
  });

  test('refuses a text that is not UTF-8, which would be a different one in the target', async () => {
    const { db: source } = await openScratch(
      "create table a (t text); insert into a values (cast(x'41ff' as text)), (char(65533))",
    );
    const target = await open(await sharedPostgresDatabase());
    const error = await rejection(copyDatabase(source, target));
    expect(error.message).toBe('Texts of a.t are not UTF-8 (1 of them). Nothing was copied.');
    expect(await target.value("select to_regclass('a')")).toBe(null);
    await source.run('delete from a where rowid = 1');
    expect((await copyDatabase(source, target)).tables).toMatchObject([{ rows: 1 }]);
  });

  test('leaves nothing where it fails or is aborted, and can be run again', async () => {
    const { db: source } = await openScratch(`create table a (id integer primary key, t text);
      with recursive n (i) as (values (1) union all select i + 1 from n where i < 30000) insert into a select i, 'row ' || i from n;
      create table b (t text); insert into b values ('nul' || char(0));`);
    const target = await open(await sharedPostgresDatabase());
    expect((await rejection(copyDatabase(source, target))).message).toContain(
      'A text of b.t has a NUL character',
    );
    expect(await target.value("select to_regclass('a')")).toBe(null);
    await source.run('delete from b');
    const abort = new AbortController();
    const stop = (): void => abort.abort(new Error('stopped'));
    await expect(copyDatabase(source, target, { signal: abort.signal, onProgress: stop })).rejects.toThrow(
      'stopped',
    );
    expect(await target.value("select to_regclass('a')")).toBe(null);
    const seen: number[] = [];
    await copyDatabase(source, target, { onProgress: ({ rowsDone }) => seen.push(rowsDone) });
    expect(seen).toEqual([10_000, 20_000, 30_000, 30_000, 30_000]);
    expect(await target.value('select count(*)::int from a')).toBe(30_000);
    expect((await rejection(copyDatabase(source, target))).message).toContain(
      'has these tables already: a, b',
    );
    await expect(copyDatabase(target, source)).rejects.toThrow('goes from a SQLite database');
    await expectAtRest(source);
    await expectAtRest(target);
  });

  test('notices a target that does not hold what was sent', async () => {
    const { db: source } = await openScratch("create table a (t text); insert into a values ('x'), ('y')");
    const target = await open(await sharedPostgresDatabase());
    await target.script(`create function change() returns trigger language plpgsql as $$ begin new.t = 'z'; return new; end $$;
      create function watch() returns event_trigger language plpgsql as $$
      begin if to_regclass('a') is not null and not exists (select 1 from pg_trigger where tgname = 'c') then
        create trigger c before insert on a for each row execute function change(); end if; end $$;
      create event trigger w on ddl_command_end when tag in ('CREATE TABLE') execute function watch()`);
    const error = await rejection(copyDatabase(source, target));
    expect(error.message).toContain(
      'a is not the same in the target: 2 rows were sent, 2 are there, with other values',
    );
    expect(await target.value("select to_regclass('a')")).toBe(null);
  });

  test('leaves a file without a write-ahead log as it is', async () => {
    const folder = await folderWith();
    const path = join(folder, 'old.db');
    const plain = new DatabaseSync(path);
    plain.exec('create table a (id integer primary key); insert into a values (1), (2)');
    plain.close();
    const before = await readFile(path);
    const url = await sharedPostgresDatabase();
    const end = await callMillpond(folder, ['copy', 'sqlite:old.db', url, '--json']);
    expect(end.json(), end.stdout).toMatchObject({ ok: true, tables: [{ name: 'a', rows: 2 }] });
    expect(before.equals(await readFile(path))).toBe(true);
  });

  test('says which of its two addresses is wrong', async () => {
    const folder = await folderWith();
    const { path } = await openScratch('create table a (id integer primary key)');
    const good = `sqlite:${path}`;
    for (const [args, which] of [
      [['nonsense', good], 'source'],
      [[good, 'nonsense'], 'target'],
      [[good, 'postgres://localhost:port/x'], 'target'],
    ] as const) {
      const end = await callMillpond(folder, ['copy', ...args]);
      expect([end.code, end.stderr]).toEqual([2, expect.stringContaining(`  - ${which} (argument): is "`)]);
    }
  });

  test('is a command', async () => {
    const folder = await folderWith();
    const { path } = await openScratch('create table a (id integer primary key); insert into a values (7)');
    const url = await sharedPostgresDatabase();
    const end = await callMillpond(folder, ['copy', `sqlite:${path}`, url, '--json']);
    expect(end.json(), end.stdout).toMatchObject({
      ok: true,
      tables: [{ name: 'a', rows: 1 }],
      warnings: [],
    });
    const again = await callMillpond(folder, ['copy', `sqlite:${path}`, url]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('has these tables already: a')]);
    const doctor = await callMillpond(folder, ['doctor', '--url', url]);
    expect([doctor.code, doctor.stdout]).toEqual([0, expect.stringContaining('engine: PostgreSQL 18')]);
  });
});
