import { Kysely, SqliteDialect, type Generated } from 'kysely';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import type { ItemRow, OpenOptions, SqlPeer } from './peer.ts';

interface Tables {
  readonly items: ItemRow;
  readonly accounts: { readonly id: number; readonly balance: number };
  readonly events: {
    readonly id: Generated<number>;
    readonly item_id: number;
    readonly kind: string;
    readonly payload: string;
    readonly at: number;
  };
}

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
