import { expect, expectTypeOf, test } from 'vitest';
import { ConfigError } from '../errors/index.ts';
import { openDatabase as openPostgres, type PostgresDatabase } from './postgres.ts';
import { openDatabase as openSqlite, type SqliteDatabase, type SqliteDatabaseOptions } from './sqlite.ts';

const refusalOf = (opening: Promise<unknown>) =>
  opening.then(
    () => undefined,
    (error: unknown) => error,
  );

test('millpond/sqlite opens SQLite, and its types say so', async () => {
  await using db = await openSqlite('sqlite::memory:', { name: false });
  expectTypeOf(db).toEqualTypeOf<SqliteDatabase>();
  expectTypeOf(db.dialect).toEqualTypeOf<'sqlite'>();
  expect(db.stats().sqlite.durability).toBe('full');
  expectTypeOf<SqliteDatabaseOptions>().not.toHaveProperty('replica');
});

test('a door of one engine refuses the other before anything is opened, and shows no password', async () => {
  const postgres = await refusalOf(openSqlite('postgres://app:secret@db.invalid/app'));
  expect(postgres).toBeInstanceOf(ConfigError);
  expect(String(postgres)).toContain('allowed: an address of SQLite, all that millpond/sqlite opens');
  expect(String(postgres)).not.toContain('secret');
  const sqlite = await refusalOf(openPostgres('sqlite:nowhere.db', { name: false }));
  expect(sqlite).toMatchObject({ problems: [{ key: 'url', source: 'options' }] });
  expect(String(sqlite)).toContain('an address of PostgreSQL');
  expectTypeOf<PostgresDatabase['dialect']>().toEqualTypeOf<'postgres'>();
});
