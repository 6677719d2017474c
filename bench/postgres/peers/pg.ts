import { Pool } from 'pg';
import type { ItemRow } from '../../peers/index.ts';
import type { OpenServerPeer } from './open-server-peer.ts';
import {
  CONNECTIONS,
  INSERT_EVENT,
  POINT_READ,
  RANGE_READ,
  READ_BALANCE,
  WRITE_BALANCE,
} from './statements.ts';

/** Names that a connection knows its prepared statements by. */
const NAMES = new Map(
  [POINT_READ, RANGE_READ, INSERT_EVENT, READ_BALANCE, WRITE_BALANCE].map((text, index) => [
    text,
    `s${index}`,
  ]),
);

export const openPeer: OpenServerPeer = async (url) => peerOf(url, (text, values) => ({ text, values }));

/** The same with named statements: parsed and planned once a connection. */
export const openNamedPeer: OpenServerPeer = async (url) =>
  peerOf(url, (text, values) => ({ name: NAMES.get(text)!, text, values }));

type QueryOf = (text: string, values: unknown[]) => { name?: string; text: string; values: unknown[] };

function peerOf(url: string, queryOf: QueryOf): Awaited<ReturnType<OpenServerPeer>> {
  const pool = new Pool({ connectionString: url, max: CONNECTIONS });
  return {
    pointRead: async (id) => (await pool.query<ItemRow>(queryOf(POINT_READ, [id]))).rows[0],
    rangeRead: async (firstId, count) =>
      (await pool.query<ItemRow>(queryOf(RANGE_READ, [firstId, count]))).rows,
    insert: ({ itemId, kind, payload, at }) => pool.query(queryOf(INSERT_EVENT, [itemId, kind, payload, at])),
    increment: (id) => increment(pool, queryOf, id),
    value: async (text) => Object.values((await pool.query<Record<string, unknown>>(text)).rows[0]!)[0],
    close: () => pool.end(),
  };
}

/** As its documentation writes a transaction. */
async function increment(pool: Pool, queryOf: QueryOf, id: number): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ balance: number }>(queryOf(READ_BALANCE, [id]));
    await client.query(queryOf(WRITE_BALANCE, [rows[0]!.balance + 1, id]));
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
