import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MigrationError } from '../../../src/index.ts';
import { migrate } from '../../../src/migrate/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { expectAtRest, rejection, scratchForAll } from '../../fixtures/scratch-database.ts';

/** Nothing is ever applied to it: one database for all. */
const refused = scratchForAll('');
const accepted = scratchForAll('');

type Files = Readonly<Record<string, string>>;
const FINE = 'select 1';

async function refusalOf(files: Files, prepare?: (folder: string) => Promise<void>): Promise<MigrationError> {
  const folder = await folderWith(files);
  await prepare?.(folder);
  const error = (await rejection(migrate(refused.db, { folder }))) as unknown as MigrationError;
  expect(await refused.db.value('select count(*) from sqlite_schema')).toBe(0);
  return error;
}

describe('C55: a folder is refused, with the place, for', () => {
  test.each<[what: string, files: Files, kind: string, place: string]>([
    ['an empty file', { '1_a.sql': '' }, 'empty', '1_a.sql: '],
    ['a file of blanks', { '1_a.sql': ' \r\n\t\n' }, 'empty', '1_a.sql: '],
    ['a file of comments', { '1_a.sql': '-- a;\n/* b; */' }, 'empty', '1_a.sql: '],
    ['a file of semicolons', { '1_a.sql': ';;;' }, 'empty', '1_a.sql: '],
    ['a byte order mark alone', { '1_a.sql': '\uFEFF' }, 'empty', '1_a.sql: '],
    ['a NUL', { '1_a.sql': 'select 1;\0' }, 'file', 'NUL character at index 9'],
    ['no number', { 'a.sql': FINE }, 'name', 'a.sql: '],
    ['a number alone', { '1.sql': FINE }, 'name', '1.sql: '],
    ['no separator', { '1a.sql': FINE }, 'name', '1a.sql: '],
    ['a blank', { '1 a.sql': FINE }, 'name', '1 a.sql: '],
    ['a blank inside', { '1_a b.sql': FINE }, 'name', '1_a b.sql: '],
    ['a dot in the name', { '1_a.b.sql': FINE }, 'name', '1_a.b.sql: '],
    ['an unknown engine', { '1_a.mysql.sql': FINE }, 'name', '1_a.mysql.sql: '],
    ['directions in the wrong place', { '1_a.down.sqlite.sql': FINE }, 'name', '1_a.down.sqlite.sql: '],
    ['letters outside ASCII', { '1_ä.sql': FINE }, 'name', '.sql: '],
    ['a negative number', { '-1_a.sql': FINE }, 'name', '-1_a.sql: '],
    ['a number too long', { '123456789012345678901_a.sql': FINE }, 'name', '_a.sql: '],
    ['a hidden file', { '.1_a.sql': FINE }, 'name', '.1_a.sql: '],
    ['dots for a parent', { '1_...sql': FINE }, 'name', '1_...sql: '],
    ['a number twice', { '1_a.sql': FINE, '1_b.sql': FINE }, 'duplicate', 'the same number as 1_a.sql'],
    ['a number twice, with other zeros', { '1_b.sql': FINE, '01_a.sql': FINE }, 'duplicate', '1_b.sql: '],
    ['a name in two cases', { '1_a.sql': FINE, '1_A.sql': FINE }, 'duplicate', 'the same number'],
    ['up twice', { '1_a.sql': FINE, '1_a.up.sql': FINE }, 'duplicate', 'the same number'],
    ['a way back without a way', { '1_a.sql': FINE, '2_b.down.sql': FINE }, 'missing', 'there is no 2_b.sql'],
    ['an empty way back', { '1_a.sql': FINE, '1_a.down.sql': '--' }, 'empty', '1_a.down.sql: '],
    ['a string without end', { '1_a.sql': "select 1;\nselect 'a;" }, 'syntax', '1_a.sql:2:8: a string'],
    ['a string that seems closed', { '1_a.sql': "select 'a''" }, 'syntax', '1_a.sql:1:8: a string'],
    ['a name without end', { '1_a.sql': '\n\nselect "a' }, 'syntax', '1_a.sql:3:8: a name'],
    ['a name in [ without end', { '1_a.sql': 'select [a' }, 'syntax', '1_a.sql:1:8: a name'],
    ['a name in ` without end', { '1_a.sql': 'select `a' }, 'syntax', '1_a.sql:1:8: a name'],
    ['a comment without end', { '1_a.sql': 'select 1; /* a' }, 'syntax', '1_a.sql:1:11: a comment'],
    ['a comment that seems closed', { '1_a.sql': 'select 1 /*/' }, 'syntax', '1_a.sql:1:10: a comment'],
    ['BEGIN', { '1_a.sql': 'begin;\nselect 1;\ncommit' }, 'syntax', '1_a.sql:1:1: BEGIN cannot'],
    ['COMMIT', { '1_a.sql': 'select 1;\n  Commit;' }, 'syntax', '1_a.sql:2:3: COMMIT cannot'],
    ['END', { '1_a.sql': 'select 1; end transaction' }, 'syntax', '1_a.sql:1:11: END cannot'],
    ['ROLLBACK', { '1_a.sql': 'rollback' }, 'syntax', '1_a.sql:1:1: ROLLBACK cannot'],
    ['SAVEPOINT', { '1_a.sql': '/* x */ savepoint a' }, 'syntax', '1_a.sql:1:9: SAVEPOINT cannot'],
    ['RELEASE', { '1_a.sql': 'release a' }, 'syntax', '1_a.sql:1:1: RELEASE cannot'],
    [
      'BEGIN behind a trigger',
      { '1_a.sql': 'create trigger t after insert on a begin select 1; end;\nbegin' },
      'syntax',
      '1_a.sql:2:1: BEGIN',
    ],
    [
      'an unknown instruction',
      { '1_a.sql': '-- millpond: no-transactions\nselect 1' },
      'syntax',
      '1_a.sql:1:1: there is no',
    ],
    [
      'an instruction too late',
      { '1_a.sql': 'select 1;\n-- millpond: no-transaction' },
      'syntax',
      '1_a.sql:2:1: "no-transaction"',
    ],
    [
      'keys off without a transaction',
      { '1_a.sql': '-- millpond: no-transaction\npragma foreign_keys=off;select 1' },
      'syntax',
      'exclude each other',
    ],
    ['keys off and nothing else', { '1_a.sql': 'pragma foreign_keys=off' }, 'empty', '1_a.sql: '],
    ['a journal that is empty', { 'meta/_journal.json': '' }, 'journal', '_journal.json: '],
    ['a journal that is a list', { 'meta/_journal.json': '[]' }, 'journal', '_journal.json: '],
    ['a journal that is null', { 'meta/_journal.json': 'null' }, 'journal', '_journal.json: '],
    [
      'a tag that is no text',
      { 'meta/_journal.json': '{"dialect":"sqlite","entries":[{"idx":0,"tag":1}]}' },
      'journal',
      '_journal.json: ',
    ],
    [
      'an absolute tag',
      { 'meta/_journal.json': '{"dialect":"sqlite","entries":[{"idx":0,"tag":"/etc/passwd"}]}' },
      'journal',
      'no name of a file',
    ],
    [
      'a tag with a way out',
      { 'meta/_journal.json': '{"dialect":"sqlite","entries":[{"idx":0,"tag":"a/../../b"}]}' },
      'journal',
      'no name of a file',
    ],
    ['a statement that is none', { '1_a.sql': 'select 1;\n\n\tselectt 2' }, 'failed', '1_a.sql:3:2: '],
    [
      'a connection setting',
      { '1_a.sql': 'create table t (a);\npragma journal_mode = delete' },
      'failed',
      '1_a.sql:2:1: ',
    ],
    ['ATTACH', { '1_a.sql': "create table t (a);\nattach 'x.db' as x" }, 'failed', '1_a.sql:2:1: '],
    ['VACUUM', { '1_a.sql': 'create table t (a);\nvacuum' }, 'failed', '1_a.sql:2:1: '],
    ['a temporary table', { '1_a.sql': 'create temp table t (a)' }, 'failed', '1_a.sql:1:1: '],
    [
      'a constraint that the data breaks',
      { '1_a.sql': 'create table t (a unique);\ninsert into t values (1), (1)' },
      'failed',
      '1_a.sql:2:1: ',
    ],
  ])('%s', async (_, files, kind, place) => {
    const error = await refusalOf(files);
    expect(error).toMatchObject({ code: 'ERR_MILLPOND_MIGRATION', kind });
    expect(error.message).toContain(place);
  });

  test('a folder that is not there, and a file in its place', async () => {
    const folder = await folderWith({ file: FINE });
    const missing = await rejection(migrate(refused.db, { folder: join(folder, 'nowhere') }));
    expect(missing).toMatchObject({ kind: 'file', file: join(folder, 'nowhere') });
    expect(await rejection(migrate(refused.db, { folder: join(folder, 'file') }))).toMatchObject({
      kind: 'file',
    });
  });

  test('a link out of the folder, a link to nothing, and a folder named like a file', async () => {
    const outside = await folderWith({ 'secret.sql': FINE });
    const error = await refusalOf({ '3_fine.sql': FINE }, async (folder) => {
      await symlink(join(outside, 'secret.sql'), join(folder, '1_link.sql'));
      await symlink(join(folder, 'nothing'), join(folder, '2_link.sql'));
      await mkdir(join(folder, '4_folder.sql'));
    });
    expect(error.faults.map(({ message }) => message)).toEqual([
      'it is a link to a file outside of the folder',
      'there is no such file',
      'it is no file',
    ]);
  });

  test('a file that is not UTF-8, and one that is too large', async () => {
    const error = await refusalOf({}, async (folder) => {
      await writeFile(join(folder, '1_a.sql'), Buffer.from([0x73, 0xff, 0xfe]));
      await writeFile(join(folder, '2_b.sql'), 'select 1;'.padEnd(16 * 1_024 ** 2 + 1, ' '));
    });
    expect(error.faults.map(({ message }) => message)).toEqual([
      'it is not UTF-8',
      expect.stringContaining('it has 16777217 bytes'),
    ]);
  });

  test('all its faults at once', async () => {
    const error = await refusalOf({ 'a.sql': FINE, '1_b.sql': '', '2_c.sql': "'" });
    expect(error.faults.map(({ kind }) => kind)).toEqual(['name', 'empty', 'syntax']);
    expect(error.message).toMatch(/^The migrations have 3 faults:\n {2}- /);
    await expectAtRest(refused.db);
  });
});

describe('C55: a folder is read exactly with', () => {
  let number = 0;
  test.each<[what: string, text: string, rows: unknown[]]>([
    ['a byte order mark', '\uFEFFinsert into TABLE values (1)', [1]],
    ['CRLF', "insert into TABLE\r\nvalues ('a\r\nb');\r\n", ['a\nb']],
    ['CR alone', 'insert into TABLE values (1); -- x\rinsert into TABLE values (2);', [1, 2]],
    ['; in a string', "insert into TABLE values (';'); insert into TABLE values ('''; --');", [';', "'; --"]],
    ['; in names', 'create table ";" (a); insert into TABLE values (1); drop table ";"', [1]],
    ['; in comments', '-- ;\ninsert /* ; */ into TABLE -- ;\n values (1)', [1]],
    [
      'a trigger',
      `create trigger TABLE_t after insert on TABLE when new.a = 1 begin
         insert into TABLE values (case when 1 then 2 end); insert into TABLE values (';'); end;
       insert into TABLE values (1)`,
      [1, 2, ';'],
    ],
    ['what looks like parameters', "insert into TABLE values (':a $b ?1 @c'); -- :d ?\n", [':a $b ?1 @c']],
    ['what looks like dollar quotes', "insert into TABLE values ('$$;$$')", ['$$;$$']],
    ['unicode', "insert into TABLE values ('💧; ü')", ['💧; ü']],
    ['an instruction in another case', '--MILLPOND: No-Transaction\ninsert into TABLE values (1)', [1]],
  ])('%s', async (_, text, rows) => {
    number += 1;
    const table = `t${number}`;
    const body = text.replaceAll('TABLE', table);
    const folder = await folderWith({
      '1_t.sql': `create table ${table} (a)`,
      '2_x.sql': body,
      'README.md': '',
    });
    await migrate(accepted.db, { folder, table: `history_${number}` });
    const found = await accepted.db.all<{ a: unknown }>(`select a from ${table}`);
    expect(found.map(({ a }) => a)).toEqual(rows);
  });

  test('one file for each engine, numbers of any length in their order, and a link inside', async () => {
    const folder = await folderWith({
      '9_a.sqlite.sql': 'create table engines (name)',
      '9_a.postgres.sql': 'nonsense',
      '10_b.sql': 'nonsense',
      '10_b.sqlite.sql': "insert into engines values ('sqlite')",
      '0011_c.postgres.sql': 'nonsense',
    });
    await symlink(join(folder, '10_b.sqlite.sql'), join(folder, '0012_d.sql'));
    const { done } = await migrate(accepted.db, { folder, table: 'history_engines' });
    expect(done.map(({ name }) => name)).toEqual(['9_a', '10_b', '0012_d']);
    expect(await accepted.db.value('select count(*) from engines')).toBe(2);
    await expectAtRest(accepted.db);
  });
});
