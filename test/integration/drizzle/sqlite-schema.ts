import {
  relations,
  type $Type,
  type BuildColumns,
  type ColumnBuilderBase,
  type HasDefault,
  type Many,
  type NotNull,
  type One,
  type Relations,
} from 'drizzle-orm';
import {
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  type SQLiteBooleanBuilderInitial,
  type SQLiteIntegerBuilderInitial,
  type SQLiteRealBuilderInitial,
  type SQLiteTableWithColumns,
  type SQLiteTextBuilderInitial,
  type SQLiteTextJsonBuilderInitial,
} from 'drizzle-orm/sqlite-core';
import { sqlite, type SqliteColumns } from '../../../src/drizzle/index.ts';

const { id, uuid, timestamps, foreignKey, optionalForeignKey, version, softDelete } = sqlite;

// The types are written out because this project's declarations are made file by file; an application infers them.
type TableOf<
  Name extends string,
  Columns extends Record<string, ColumnBuilderBase>,
> = SQLiteTableWithColumns<{
  name: Name;
  schema: undefined;
  columns: BuildColumns<Name, Columns, 'sqlite'>;
  dialect: 'sqlite';
}>;
type Text<Name extends string = '', Length extends number | undefined = undefined> = SQLiteTextBuilderInitial<
  Name,
  [string, ...string[]],
  Length
>;
type Int<Name extends string = ''> = SQLiteIntegerBuilderInitial<Name>;
type Helper<Name extends keyof SqliteColumns> = ReturnType<SqliteColumns[Name]>;

type UserColumns = {
  id: Helper<'id'>;
  name: NotNull<Text>;
  email: NotNull<Text<'email_address', number | undefined>>;
  isAdmin: HasDefault<NotNull<SQLiteBooleanBuilderInitial<'is_admin'>>>;
} & Helper<'timestamps'>;

type PostColumns = {
  id: Helper<'uuid'>;
  authorId: NotNull<Int>;
  editorId: Int;
  title: NotNull<Text>;
  tags: $Type<SQLiteTextJsonBuilderInitial<''>, string[]>;
  score: HasDefault<NotNull<SQLiteRealBuilderInitial<''>>>;
  version: Helper<'version'>;
  deletedAt: Helper<'softDelete'>;
} & Helper<'timestamps'>;

type MembershipColumns = {
  userId: NotNull<Int<'user_id'>>;
  groupId: NotNull<Int<'group_id'>>;
  role: NotNull<Text>;
};

export const users: TableOf<'users', UserColumns> = sqliteTable('users', {
  id: id(),
  name: text().notNull(),
  email: text('email_address').notNull().unique(),
  isAdmin: integer('is_admin', { mode: 'boolean' }).notNull().default(false),
  ...timestamps(),
});

export const posts: TableOf<'posts', PostColumns> = sqliteTable('posts', {
  id: uuid(),
  authorId: foreignKey(() => users.id, { onDelete: 'cascade' }),
  editorId: optionalForeignKey(() => users.id, { onDelete: 'set null' }),
  title: text().notNull(),
  tags: text({ mode: 'json' }).$type<string[]>(),
  score: real().notNull().default(0),
  version: version(),
  deletedAt: softDelete(),
  ...timestamps(),
});

export const memberships: TableOf<'memberships', MembershipColumns> = sqliteTable(
  'memberships',
  { userId: integer('user_id').notNull(), groupId: integer('group_id').notNull(), role: text().notNull() },
  (table) => [primaryKey({ columns: [table.userId, table.groupId] })],
);

const usersRelations: Relations<'users', { posts: Many<'posts'> }> = relations(users, ({ many }) => ({
  posts: many(posts),
}));
const postsRelations: Relations<'posts', { author: One<'users', true> }> = relations(posts, ({ one }) => ({
  author: one(users, { fields: [posts.authorId], references: [users.id] }),
}));

/** What `drizzle()` is given. */
export type Schema = {
  users: typeof users;
  posts: typeof posts;
  memberships: typeof memberships;
  usersRelations: typeof usersRelations;
  postsRelations: typeof postsRelations;
};

export const schema: Schema = { users, posts, memberships, usersRelations, postsRelations };

const MS = "not null default (cast(round(unixepoch('subsec') * 1000) as integer))";

export const DDL: string = `
  create table users (id integer primary key autoincrement, name text not null,
    email_address text not null unique, is_admin integer not null default 0,
    created_at integer ${MS}, updated_at integer ${MS});
  create table posts (id text primary key, "authorId" integer not null references users (id) on delete cascade,
    "editorId" integer references users (id) on delete set null, title text not null, tags text,
    score real not null default 0, version integer not null default 1, "deletedAt" integer,
    created_at integer ${MS}, updated_at integer ${MS});
  create table memberships (user_id integer not null, group_id integer not null, role text not null,
    primary key (user_id, group_id));`;
