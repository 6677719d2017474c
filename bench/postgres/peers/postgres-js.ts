import postgres from 'postgres';
import type { ItemRow } from '../../peers/index.ts';
import type { OpenServerPeer } from './open-server-peer.ts';
import { CONNECTIONS } from './statements.ts';

/** postgres.js, by its tag: each text is prepared once a connection, and calls are pipelined. */
export const openPeer: OpenServerPeer = async (url) => {
  const sql = postgres(url, { max: CONNECTIONS });
  return {
    pointRead: async (id) => {
      const rows = await sql<ItemRow[]>`
        select id, name, email, age, score, created_at from items where id = ${id}`;
      return rows[0];
    },
    rangeRead: async (firstId, count) => sql<ItemRow[]>`
      select id, name, email, age, score, created_at from items where id >= ${firstId} order by id limit ${count}`,
    insert: async ({ itemId, kind, payload, at }) => sql`
      insert into events (item_id, kind, payload, at) values (${itemId}, ${kind}, ${payload}, ${at})`,
    increment: (id) =>
      sql.begin(async (tx) => {
        const rows = await tx<
          { balance: number }[]
        >`select balance from accounts where id = ${id} for update`;
        await tx`update accounts set balance = ${rows[0]!.balance + 1} where id = ${id}`;
      }),
    value: async (text) => Object.values((await sql.unsafe(text))[0]!)[0],
    close: () => sql.end(),
  };
};
