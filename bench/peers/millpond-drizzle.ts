import { eq, gte, sql } from 'drizzle-orm';
import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type * as MillpondDrizzle from '../../src/drizzle/index.ts';
import type * as Millpond from '../../src/index.ts';
import { importMillpond } from './millpond-source.ts';
import type { OpenOptions, SqlPeer } from './peer.ts';

const { openDatabase } = await importMillpond<typeof Millpond>('index');
const { drizzle, repository } = await importMillpond<typeof MillpondDrizzle>('drizzle/index');

const items = sqliteTable('items', {
  id: integer().primaryKey(),
  name: text().notNull(),
  email: text().notNull(),
  age: integer().notNull(),
  score: real().notNull(),
  created_at: integer().notNull(),
});
const events = sqliteTable('events', {
  id: integer().primaryKey(),
  itemId: integer('item_id').notNull(),
  kind: text().notNull(),
  payload: text().notNull(),
  at: integer().notNull(),
});

/** The same tables and prepared queries as the peer `drizzle`, through millpond; rows in bulk by a repository. */
export async function openPeer({ file, synchronous }: OpenOptions): Promise<SqlPeer> {
  const client = await openDatabase({
    url: `sqlite:${file}`,
    name: false,
    durability: synchronous === 'full' ? 'full' : 'process',
  });
  const db = drizzle(client);
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
  const eventRows = repository(client, events);
  return {
    pointRead: (id) => point.get({ id }),
    rangeRead: (firstId, count) => range.all({ firstId, count }),
    insert: (event) => insert.run({ ...event }),
    insertMany: (rows) => eventRows.saveMany(rows, { returning: false }),
    value: (query) => client.value(query),
    setting: (pragma) => client.transaction((tx) => tx.value(`pragma ${pragma}`)),
    close: () => client.close(),
  };
}
