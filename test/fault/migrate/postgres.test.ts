import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../../src/index.ts';
import { migrate, migrationStatus } from '../../../src/migrate/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { MIGRATION_RUNNER, startStoppedRunner } from '../../fixtures/migration-runner.ts';
import { runScript } from '../../fixtures/run-script.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { expectAtRest, rejection } from '../../fixtures/scratch-database.ts';
import { openPostgresAt } from '../../fixtures/scratch-postgres.ts';
import { MIGRATIONS, STEPS_OF_EACH, thirtyStatements } from '../../fixtures/thirty-statements.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const LIMIT_MS = scaledTimeoutMs();

async function dump(db: Database): Promise<unknown> {
  return {
    schema: await db.all(
      "select relname, relkind from pg_class where relnamespace = 'public'::regnamespace order by relname",
    ),
    history: await db.all(
      'select position, name, checksum, state from millpond_migrations order by position',
    ),
    applied: await db.all('select number from applied order by number'),
  };
}

async function expected(folder: string): Promise<unknown> {
  const db = await openPostgresAt(await sharedPostgresDatabase(), '');
  await migrate(db, { folder });
  return await dump(db);
}

describe('B16: on PostgreSQL', () => {
  test(
    'C53: a runner killed at any statement leaves before or after, and a rerun gives the same',
    { timeout: LIMIT_MS },
    async () => {
      const folder = await folderWith(thirtyStatements());
      const whole = await expected(folder);
      const random = randomFrom(seed);
      const count = Math.min(MIGRATIONS * STEPS_OF_EACH, scaled(3));
      const isEach = count === MIGRATIONS * STEPS_OF_EACH;
      for (let index = 0; index < count; index += 1) {
        const point = 1 + (isEach ? index : Math.floor(random() * MIGRATIONS * STEPS_OF_EACH));
        const url = await sharedPostgresDatabase();
        const end = await runScript(MIGRATION_RUNNER, { args: [url, folder, '5000', 'kill', String(point)] });
        expect(end.signal, `step ${point}: ${end.stderr}`).toBe('SIGKILL');
        const db = await openPostgresAt(url, '');
        // The server may not have heard yet that its client is gone: then this waits for the lock.
        await migrate(db, { folder });
        expect(await dump(db), `killed at step ${point}, seed ${seed}`).toEqual(whole);
        const own = await db.all<{ runner: string }>('select distinct runner from millpond_migrations');
        const before = Math.floor((point - 1) / STEPS_OF_EACH);
        expect(own, `step ${point}`).toHaveLength(before === 0 ? 1 : 2);
        await expectAtRest(db);
      }
    },
  );

  test('a lock goes with the process that held it', { timeout: LIMIT_MS }, async () => {
    const folder = await folderWith(thirtyStatements());
    const url = await sharedPostgresDatabase();
    const stopped = await startStoppedRunner(url, folder, 'stop-inside');
    const db = await openPostgresAt(url, '');
    const error = await rejection(migrate(db, { folder, lockTimeoutMs: 200 }));
    expect(error).toMatchObject({ kind: 'locked', message: expect.stringContaining('the server process') });
    expect(await migrationStatus(db, { folder })).toMatchObject({ applied: [], faults: [] });
    const waiting = migrate(db, { folder, lockTimeoutMs: 30_000 });
    stopped.kill('SIGKILL');
    expect((await waiting).done).toHaveLength(MIGRATIONS);
    expect(await dump(db)).toEqual(await expected(folder));
    await expectAtRest(db);
  });

  test(
    'others do the work of a runner that was stopped between two, which then finds it done',
    { timeout: LIMIT_MS },
    async () => {
      const folder = await folderWith(thirtyStatements());
      const url = await sharedPostgresDatabase();
      const stopped = await startStoppedRunner(url, folder, 'stop-between');
      let told = '';
      stopped.stdout!.on('data', (text: Buffer) => (told += text.toString()));
      const db = await openPostgresAt(url, '');
      const own = await migrate(db, { folder });
      expect(own.done).toHaveLength(MIGRATIONS - 1);
      stopped.kill('SIGCONT');
      await once(stopped, 'close');
      expect(told).toContain('{"done":["0001_step"]}');
      expect(await dump(db)).toEqual(await expected(folder));
    },
  );

  test(
    'a runner killed in a migration without a transaction blocks the others',
    { timeout: LIMIT_MS },
    async () => {
      const folder = await folderWith({
        '1_a.sql':
          '-- millpond: no-transaction\ncreate table a (id int);\ncreate index concurrently i on a (id);',
      });
      const url = await sharedPostgresDatabase();
      const end = await runScript(MIGRATION_RUNNER, { args: [url, folder, '5000', 'kill', '2'] });
      expect(end.signal, end.stderr).toBe('SIGKILL');
      const db = await openPostgresAt(url, '');
      expect(await rejection(migrate(db, { folder }))).toMatchObject({ kind: 'dirty' });
      expect(await migrationStatus(db, { folder })).toMatchObject({ unfinished: { name: '1_a' } });
      expect(await db.value("select to_regclass('a') is not null")).toBe(true);
    },
  );
});

describe('C55: on PostgreSQL', () => {
  test('bad files are refused with their places, all at once, and nothing is applied', async () => {
    const db = await openPostgresAt(await sharedPostgresDatabase(), '');
    const folder = await folderWith({
      '1_fine.sql': 'create table fine (id int)',
      '2_body.sql': 'create function f() returns int as $body$ select 1; $bod$',
      '3_comment.sql': 'select 1; /* outer /* inner */',
      '4_commit.sql': 'select 1;\n  commit;',
      '5_savepoint.sql': 'savepoint a',
      '6_empty.sql': '-- nothing;',
      '7_escape.sql': String.raw`select 1; select E'a\';`,
    });
    const error = await rejection(migrate(db, { folder }));
    const faults = error['faults'] as { kind: string; line?: number; column?: number }[];
    expect(faults.map(({ kind, line, column }) => [kind, line, column])).toEqual([
      ['syntax', 1, 36],
      ['syntax', 1, 11],
      ['syntax', 2, 3],
      ['syntax', 1, 1],
      ['empty', undefined, undefined],
      ['syntax', 1, 18],
    ]);
    expect(
      await db.value("select count(*)::int from pg_class where relname in ('fine', 'millpond_migrations')"),
    ).toBe(0);
    await expectAtRest(db);
  });

  test('files are read as the server reads them', async () => {
    const db = await openPostgresAt(await sharedPostgresDatabase(), 'create table found (a text)');
    const folder = await folderWith({
      '1_quotes.sql': String.raw`insert into found values ('a\'); insert into found values (E'b\'; c');`,
      '2_body.sql': `create function f() returns void language plpgsql as $f$ begin
        insert into found values ('; $$'); commit; exception when others then insert into found values ('d;'); end $f$;
        select f();`,
      '3_atomic.sql': `create function g() returns int begin atomic select 1; select case when true then 2 end; end;
        insert into found select 'g' || g();`,
      '4_comments.sql': "/* a; /* b; */ c; */ insert into found values ('e;' /* ; */); -- f;\n",
      '5_crlf.sql': "\uFEFFinsert into found\r\nvalues ('💧;')",
      '6_operators.sql': `insert into found values ('{"a":1}'::jsonb ->> 'a'), ((array['x','y'])[1:1]::text), (U&'\\0067')`,
    });
    await migrate(db, { folder });
    const rows = await db.all<{ a: string }>('select a from found');
    expect(rows.map(({ a }) => a)).toEqual(['a\\', "b'; c", 'd;', 'g2', 'e;', '💧;', '1', '{x}', 'g']);
    await expectAtRest(db);
  });
});
