import { eq } from 'drizzle-orm';
import * as pg from 'drizzle-orm/pg-core';
import { integer, sqliteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, test } from 'vitest';
import type { Database } from '../database/index.ts';
import { drizzle } from './drizzle.ts';
import { repository } from './repository.ts';

interface SeenCall {
  readonly method: string;
  readonly target: unknown;
}

/** A database that answers nothing and remembers what it was asked for. */
function recorder(dialect: 'sqlite' | 'postgres'): { readonly db: Database; readonly seen: SeenCall[] } {
  const seen: SeenCall[] = [];
  const record =
    (method: string, answer: unknown) =>
    async (_text: string, _params: unknown, options: { target?: unknown } = {}) => {
      seen.push({ method, target: options.target });
      return answer;
    };
  const db = {
    dialect,
    name: 'fake',
    arrays: record('arrays', []),
    all: record('all', []),
    run: record('run', { rowsAffected: 0 }),
    value: record('value', 0),
  };
  return { db: db as unknown as Database, seen };
}

describe("the option 'target'", () => {
  test('is given with selects, counts and relational queries of SQLite, and with no write', async () => {
    const users = sqliteTable('users', { id: integer().primaryKey() });
    const { db, seen } = recorder('sqlite');
    const orm = drizzle(db, { schema: { users }, target: 'replica' });
    await orm.select().from(users);
    await orm.query.users.findMany();
    await orm.$count(users);
    await orm.delete(users);
    await orm.update(users).set({ id: 1 }).where(eq(users.id, 2)).returning();
    expect(seen).toEqual([
      { method: 'arrays', target: 'replica' },
      { method: 'arrays', target: 'replica' },
      { method: 'value', target: 'replica' },
      { method: 'run', target: undefined },
      { method: 'arrays', target: undefined },
    ]);
  });

  test('is given with selects, counts and relational queries of PostgreSQL, and with no write', async () => {
    const users = pg.pgTable('users', { id: pg.integer().primaryKey() });
    const { db, seen } = recorder('postgres');
    const orm = drizzle(db, { schema: { users }, target: 'replica' });
    await orm.select().from(users);
    await orm.query.users.findMany();
    await orm.$count(users);
    await orm.delete(users);
    await orm.execute('select 1');
    expect(seen).toEqual([
      { method: 'arrays', target: 'replica' },
      { method: 'arrays', target: 'replica' },
      { method: 'value', target: 'replica' },
      { method: 'run', target: undefined },
      { method: 'all', target: undefined },
    ]);
  });

  test('is one of the options of a read of a repository', async () => {
    const users = sqliteTable('users', { id: integer().primaryKey() });
    const { db, seen } = recorder('sqlite');
    await repository(db, users).findAll({ target: 'replica' });
    await repository(db, users).count(undefined, { target: 'replica' });
    await repository(db, users).findAll();
    expect(seen.map(({ target }) => target)).toEqual(['replica', 'replica', undefined]);
  });
});
