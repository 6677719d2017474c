import { Kysely } from 'kysely';
import type * as Millpond from '../../src/index.ts';
import type * as MillpondKysely from '../../src/kysely/index.ts';
import type { Tables } from './kysely-tables.ts';
import { importMillpond } from './millpond-source.ts';
import type { OpenOptions, SqlPeer } from './peer.ts';

const { openDatabase } = await importMillpond<typeof Millpond>('index');
const { MillpondDialect } = await importMillpond<typeof MillpondKysely>('kysely/index');

/** The same queries as the peer `kysely`, through millpond. */
export async function openPeer({ file, synchronous }: OpenOptions): Promise<SqlPeer> {
  const client = await openDatabase({
    url: `sqlite:${file}`,
    name: false,
    durability: synchronous === 'full' ? 'full' : 'process',
  });
  const db = new Kysely<Tables>({ dialect: new MillpondDialect(client) });
  return {
    pointRead: (id) => db.selectFrom('items').selectAll().where('id', '=', id).executeTakeFirst(),
    rangeRead: (firstId, count) =>
      db.selectFrom('items').selectAll().where('id', '>=', firstId).orderBy('id').limit(count).execute(),
    insert: ({ itemId, kind, payload, at }) =>
      db.insertInto('events').values({ item_id: itemId, kind, payload, at }).execute(),
    value: (text) => client.value(text),
    setting: (pragma) => client.transaction((tx) => tx.value(`pragma ${pragma}`)),
    close: () => client.close(),
  };
}
