import { mysqlTable, int } from 'drizzle-orm/mysql-core';
import * as pg from 'drizzle-orm/pg-core';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { postgres } from './postgres-columns.ts';
import { sqlite } from './sqlite-columns.ts';
import { readTableFacts } from './table-facts.ts';

const users = sqliteTable('users', {
  id: sqlite.id(),
  email: text().unique(),
  revision: sqlite.version(),
  removedAt: sqlite.softDelete(),
  ...sqlite.timestamps(),
});
const members = sqliteTable(
  'members',
  { userId: integer('user_id'), groupId: integer('group_id') },
  (table) => [primaryKey({ columns: [table.groupId, table.userId] })],
);

describe('the facts of a table', () => {
  test('are read off its columns', () => {
    expect(readTableFacts(users)).toMatchObject({
      name: 'users',
      dialect: 'sqlite',
      key: ['id'],
      version: 'revision',
      deleted: 'removedAt',
      renewed: ['updatedAt'],
    });
    const accounts = pg.pgTable('accounts', { id: postgres.uuid(), ...postgres.timestamps() });
    expect(readTableFacts(accounts)).toMatchObject({
      dialect: 'postgres',
      key: ['id'],
      version: undefined,
      deleted: undefined,
      renewed: ['updatedAt'],
    });
  });

  test('are what the options say, where they say something', () => {
    expect(readTableFacts(users, { key: 'email', version: false, softDelete: false })).toMatchObject({
      key: ['email'],
      version: undefined,
      deleted: undefined,
      // It is no version any more, but Drizzle still counts it up.
      renewed: ['revision', 'updatedAt'],
    });
  });

  test('know a composite key, in its order', () => {
    expect(readTableFacts(members).key).toEqual(['groupId', 'userId']);
    expect(readTableFacts(members, { key: ['userId', 'groupId'] }).key).toEqual(['userId', 'groupId']);
    const composite = pg.pgTable('t', { a: pg.integer(), b: pg.integer() }, (table) => [
      pg.primaryKey({ columns: [table.a, table.b] }),
    ]);
    expect(readTableFacts(composite).key).toEqual(['a', 'b']);
  });

  test.each([
    [
      'a key that is not unique',
      () => readTableFacts(members, { key: 'userId' }),
      /primary key \(groupId, userId\)/,
    ],
    ['no primary key', () => readTableFacts(sqliteTable('t', { a: integer() })), /has no primary key/],
    ['an unknown key', () => readTableFacts(users, { key: 'nobody' }), /no column "nobody"/],
    ['an unknown version', () => readTableFacts(users, { version: 'nobody' }), /no column "nobody"/],
    ['an unknown mark', () => readTableFacts(users, { softDelete: 'nobody' }), /no column "nobody"/],
    [
      'a table of MySQL',
      () => readTableFacts(mysqlTable('t', { a: int().primaryKey() })),
      /SQLite or of Post/,
    ],
  ])('refuse %s', (_, read, message) => {
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });
});
