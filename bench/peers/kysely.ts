import { Kysely, SqliteDialect } from 'kysely';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import type { Tables } from './kysely-tables.ts';
import type { OpenOptions, SqlPeer } from './peer.ts';

/** Kysely on better-sqlite3: its query builder, as in its documentation. */
export function openPeer({ file, synchronous }: OpenOptions): SqlPeer {
  const client = openBetterSqlite3(file, synchronous);
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: client }) });
  return {
    pointRead: (id) => db.selectFrom('items').selectAll().where('id', '=', id).executeTakeFirst(),
    rangeRead: (firstId, count) =>
      db.selectFrom('items').selectAll().where('id', '>=', firstId).orderBy('id').limit(count).execute(),
    insert: ({ itemId, kind, payload, at }) =>
      db.insertInto('events').values({ item_id: itemId, kind, payload, at }).execute(),
    increment: (id) =>
      db.transaction().execute(async (trx) => {
        const account = trx.selectFrom('accounts').select('balance').where('id', '=', id);
        const { balance } = await account.executeTakeFirstOrThrow();
        await trx
          .updateTable('accounts')
          .set({ balance: balance + 1 })
          .where('id', '=', id)
          .execute();
      }),
    value: (text) => client.prepare(text).pluck().get(),
    close: () => db.destroy(),
  };
}
