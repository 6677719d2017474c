import type * as Millpond from '../../../src/index.ts';
import type { ItemRow, SqlPeer } from '../../peers/index.ts';
import { importMillpond } from '../../peers/millpond-source.ts';
import type { OpenServerPeer } from './open-server-peer.ts';
import {
  CONNECTIONS,
  INSERT_EVENT,
  POINT_READ,
  RANGE_READ,
  READ_BALANCE,
  WRITE_BALANCE,
} from './statements.ts';

const { openDatabase } = await importMillpond<typeof Millpond>('index');

/** Up to two connections for reads of all callers come on top of the pool's, and two for writes outside transactions. */
const ON_TOP = 4;
/** Neither `pg` nor postgres.js refuses a caller; millpond's limit of 1,000 is lower than the most that are tried. */
const MAX_WAITING = 10_000;

/** millpond with its defaults, but for the number of connections and of callers that may wait. */
export const openPeer: OpenServerPeer = async (url, { transactions = false } = {}): Promise<SqlPeer> => {
  // Where all calls are transactions nothing comes on top. What is open at the end is counted in any case.
  const max = transactions ? CONNECTIONS : CONNECTIONS - ON_TOP;
  const db = await openDatabase({ url, name: false, log: 'silent', pool: { max, maxWaiting: MAX_WAITING } });
  return {
    pointRead: (id) => db.get<ItemRow>(POINT_READ, [id]),
    rangeRead: (firstId, count) => db.all<ItemRow>(RANGE_READ, [firstId, count]),
    insert: ({ itemId, kind, payload, at }) => db.run(INSERT_EVENT, [itemId, kind, payload, at]),
    increment: (id) =>
      db.transaction(async (tx) => {
        const balance = (await tx.value<number>(READ_BALANCE, [id]))!;
        await tx.run(WRITE_BALANCE, [balance + 1, id]);
      }),
    value: (text) => db.value(text),
    close: () => db.close(),
  };
};
