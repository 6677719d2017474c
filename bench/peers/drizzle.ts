import { eq, gte, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import type { OpenOptions, SqlPeer } from './peer.ts';

const items = sqliteTable('items', {
  id: integer().primaryKey(),
  name: text().notNull(),
  email: text().notNull(),
  age: integer().notNull(),
  score: real().notNull(),
  created_at: integer().notNull(),
});
const accounts = sqliteTable('accounts', { id: integer().primaryKey(), balance: integer().notNull() });
const events = sqliteTable('events', {
  id: integer().primaryKey(),
  itemId: integer('item_id').notNull(),
  kind: text().notNull(),
  payload: text().notNull(),
  at: integer().notNull(),
});

/** Drizzle on better-sqlite3, with prepared queries, as its page on performance advises; builders in transactions. */
export function openPeer({ file, synchronous }: OpenOptions): SqlPeer {
  const client = openBetterSqlite3(file, synchronous);
  const db = drizzle({ client });
  const point = db
    .select()
    .from(items)
    .where(eq(items.id, sql.placeholder('id')))
    .prepare();
  const range = db
    .select()
    .from(items)
    .where(gte(items.id, sql.placeholder('firstId')))
    .orderBy(items.id)
    .limit(sql.placeholder('count'))
    .prepare();
  const insert = db
    .insert(events)
    .values({
      itemId: sql.placeholder('itemId'),
      kind: sql.placeholder('kind'),
      payload: sql.placeholder('payload'),
      at: sql.placeholder('at'),
    })
    .prepare();
  return {
    pointRead: (id) => point.get({ id }),
    rangeRead: (firstId, count) => range.all({ firstId, count }),
    insert: (event) => insert.run({ ...event }),
    increment: (id) =>
      db.transaction(
        (tx) => {
          const { balance } = tx.select().from(accounts).where(eq(accounts.id, id)).get()!;
          tx.update(accounts)
            .set({ balance: balance + 1 })
            .where(eq(accounts.id, id))
            .run();
        },
        { behavior: 'immediate' },
      ),
    value: (query) => client.prepare(query).pluck().get(),
    close: () => void client.close(),
  };
}
