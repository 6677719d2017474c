import { eq, sql } from 'drizzle-orm';
import { boolean, integer as pgInteger, pgTable, text as pgText } from 'drizzle-orm/pg-core';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { describe, expectTypeOf, test } from 'vitest';
import {
  drizzle,
  postgres,
  Repository,
  repository,
  sqlite,
  type KeysetPage,
  type OffsetPage,
  type PostgresDrizzle,
  type SqliteDrizzle,
} from '../../src/drizzle/index.ts';
import type { Database } from '../../src/index.ts';

declare const db: Database;

const users = sqliteTable('users', {
  id: sqlite.id(),
  name: text().notNull(),
  age: integer(),
  version: sqlite.version(),
  deletedAt: sqlite.softDelete(),
  ...sqlite.timestamps(),
});
const articles = sqliteTable('articles', {
  id: sqlite.uuid(),
  authorId: sqlite.foreignKey(() => users.id, { onDelete: 'cascade' }),
  editorId: sqlite.optionalForeignKey(() => users.id),
});
const members = sqliteTable(
  'members',
  { userId: integer().notNull(), groupId: text().notNull(), role: text() },
  (table) => [primaryKey({ columns: [table.userId, table.groupId] })],
);
const accounts = pgTable('accounts', {
  id: postgres.id(),
  owner: pgText().notNull(),
  isOpen: boolean().notNull().default(true),
  version: postgres.version(),
  deletedAt: postgres.softDelete(),
  ...postgres.timestamps(),
});
const entries = pgTable('entries', {
  id: postgres.uuid(),
  accountId: postgres.foreignKey(() => accounts.id, { onDelete: 'restrict' }),
  parentId: postgres.optionalForeignKey(() => accounts.id),
});
const keyless = pgTable('keyless', { value: pgInteger() });

interface User {
  id: number;
  name: string;
  age: number | null;
  version: number;
  deletedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

describe('the columns that the helpers make', () => {
  test('have the types of their values, and may be left out where the database knows better', () => {
    expectTypeOf<typeof users.$inferSelect>().toEqualTypeOf<User>();
    expectTypeOf<{ name: string }>().toExtend<typeof users.$inferInsert>();
    expectTypeOf<typeof articles.$inferSelect>().toEqualTypeOf<{
      id: string;
      authorId: number;
      editorId: number | null;
    }>();
    expectTypeOf<{ authorId: number }>().toExtend<typeof articles.$inferInsert>();
    expectTypeOf<typeof accounts.$inferSelect>().toEqualTypeOf<{
      id: number;
      owner: string;
      isOpen: boolean;
      version: number;
      deletedAt: Date | null;
      createdAt: Date;
      updatedAt: Date;
    }>();
    expectTypeOf<{ owner: string }>().toExtend<typeof accounts.$inferInsert>();
    expectTypeOf<typeof entries.$inferSelect>().toEqualTypeOf<{
      id: string;
      accountId: number;
      parentId: number | null;
    }>();
  });

  test('refer to a column of their own type', () => {
    // @ts-expect-error -- a uuid is no number: { type: 'uuid' }
    sqlite.foreignKey(() => articles.id);
    // @ts-expect-error -- a number is no uuid
    sqlite.foreignKey(() => users.id, { type: 'uuid' });
    // @ts-expect-error -- a uuid is no number: { type: 'uuid' }
    postgres.optionalForeignKey(() => entries.id);
    // @ts-expect-error -- no such action
    sqlite.foreignKey(() => users.id, { onDelete: 'drop' });
    const uuid = sqliteTable('t', { articleId: sqlite.foreignKey(() => articles.id, { type: 'uuid' }) });
    expectTypeOf<typeof uuid.$inferSelect>().toEqualTypeOf<{ articleId: string }>();
    const optional = pgTable('t', { to: postgres.optionalForeignKey(() => entries.id, { type: 'uuid' }) });
    expectTypeOf<typeof optional.$inferSelect>().toEqualTypeOf<{ to: string | null }>();
  });
});

describe('drizzle()', () => {
  test('is of the dialect of its schema', () => {
    expectTypeOf(drizzle(db, { schema: { users } })).toEqualTypeOf<SqliteDrizzle<{ users: typeof users }>>();
    expectTypeOf(drizzle(db, { schema: { accounts } })).toEqualTypeOf<
      PostgresDrizzle<{ accounts: typeof accounts }>
    >();
    expectTypeOf(drizzle(db)).toEqualTypeOf<SqliteDrizzle>();
    expectTypeOf(drizzle(db, { dialect: 'postgres' })).toEqualTypeOf<PostgresDrizzle>();
    // @ts-expect-error -- no such table
    void (() => drizzle(db, { schema: { users } }).query.nobody);
    // @ts-expect-error -- no such option
    drizzle(db, { shema: { users } });
  });

  test('takes our options for its transactions', () => {
    const orm = drizzle(db, { schema: { accounts } });
    const read = () =>
      orm.transaction(async (tx) => tx.query.accounts.findMany(), { readOnly: true, timeoutMs: 5 });
    expectTypeOf(read).returns.resolves.toEqualTypeOf<(typeof accounts.$inferSelect)[]>();
    void (() => orm.transaction(async (tx) => tx.rollback(), { isolationLevel: 'serializable', retry: 3 }));
    // @ts-expect-error -- no such option
    void (() => orm.transaction(async () => 1, { timeout: 5 }));
  });
});

describe('a repository', () => {
  const userRows = repository(db, users);
  const memberRows = repository(db, members, { key: ['userId', 'groupId'] });
  const accountRows = repository(db, accounts);

  test('has the rows and the key of its table', () => {
    expectTypeOf(userRows.findById(1)).toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(userRows.findAll()).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(userRows.save({ name: 'Ada' })).toEqualTypeOf<Promise<User>>();
    expectTypeOf(userRows.saveMany([{ name: 'Ada' }])).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(userRows.saveMany([], { returning: false })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(userRows.update(1, { age: null })).toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(userRows.delete(1)).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(memberRows.findById).parameter(0).toEqualTypeOf<{ userId: number; groupId: string }>();
    expectTypeOf(repository(db, articles).findById).parameter(0).toEqualTypeOf<string>();
    expectTypeOf(accountRows.findById).parameter(0).toEqualTypeOf<number>();
    expectTypeOf(accountRows.drizzle).toEqualTypeOf<PostgresDrizzle>();
    expectTypeOf(userRows.drizzle).toEqualTypeOf<SqliteDrizzle>();
  });

  test('refuses keys, columns and rows of other tables', () => {
    expectTypeOf(userRows.findById).parameter(0).toEqualTypeOf<number>();
    // @ts-expect-error -- the key is a number
    void (() => userRows.findById('1'));
    // @ts-expect-error -- the key has two columns
    void (() => memberRows.findById(1));
    // @ts-expect-error -- the key has two columns
    void (() => memberRows.findById({ userId: 1 }));
    // @ts-expect-error -- a column is missing
    void (() => userRows.save({ age: 3 }));
    // @ts-expect-error -- no such column
    void (() => userRows.save({ name: 'Ada', nmae: 'x' }));
    // @ts-expect-error -- another type
    void (() => userRows.update(1, { name: 5 }));
    // @ts-expect-error -- no such column
    void (() => userRows.findOne({ nmae: 'x' }));
    // @ts-expect-error -- a condition that may be missing
    void (() => userRows.deleteWhere(undefined));
    // @ts-expect-error -- no such column
    void (() => userRows.findAll({ orderBy: { nmae: 'asc' } }));
    // @ts-expect-error -- no such direction
    void (() => userRows.findAll({ orderBy: { name: 'up' } }));
    void (() => userRows.findAll({ where: eq(users.name, 'Ada'), orderBy: sql`random()` }));
    void (() => userRows.updateWhere({ age: null }, { age: sql`${users.version}` }));
  });

  test('is not made of a table without a primary key that its columns say', () => {
    expectTypeOf(memberRows.count()).toEqualTypeOf<Promise<number>>();
    // @ts-expect-error -- no primary key: name it
    void (() => repository(db, members));
    // @ts-expect-error -- no primary key at all
    void (() => Repository(keyless));
    // @ts-expect-error -- no such column
    void (() => repository(db, members, { key: 'nobody' }));
    // @ts-expect-error -- may be null
    void (() => repository(db, members, { key: 'role' }));
    // @ts-expect-error -- no such column
    void (() => repository(db, users, { version: 'nobody' }));
  });

  test('gives pages of the kind that was asked for, with a total if it was', () => {
    expectTypeOf(userRows.findPage({ size: 5 })).toEqualTypeOf<Promise<OffsetPage<User>>>();
    expectTypeOf(userRows.findPage({ size: 5, page: 2, total: true })).toEqualTypeOf<
      Promise<OffsetPage<User> & { readonly total: number }>
    >();
    expectTypeOf(userRows.findPage({ size: 5, after: null })).toEqualTypeOf<Promise<KeysetPage<User>>>();
    expectTypeOf(userRows.findPage({ size: 5, after: 'x', total: true })).toEqualTypeOf<
      Promise<KeysetPage<User> & { readonly total: number }>
    >();
    // @ts-expect-error -- a page by its number, or behind a row
    void (() => userRows.findPage({ size: 5, page: 1, after: null }));
    void (() => userRows.findPage({ size: 5, after: null, orderBy: { age: 'asc' } }));
    void (() => userRows.findPage({ size: 5, orderBy: { age: 'asc' } }));
    // @ts-expect-error -- no such column
    void (() => userRows.findPage({ size: 5, after: null, orderBy: { nobody: 'asc' } }));
  });

  test('is a class to extend, whose instances may be made before a database is open', () => {
    class Users extends Repository(users) {
      adults() {
        return this.findAll({ where: sql`${users.age} >= 18` });
      }
    }
    expectTypeOf(new Users().adults()).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(new Users(() => db).findById(1)).toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(new Users(drizzle(db)).count()).toEqualTypeOf<Promise<number>>();
    void (() => drizzle(db).transaction(async (tx) => new Users(tx).save({ name: 'Ada' })));
    // @ts-expect-error -- no database
    void (() => new Users(5));
  });
});
