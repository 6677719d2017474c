import type * as Millpond from '../../src/index.ts';
import type { NewEvent } from '../harness/seed.ts';
import { importMillpond } from './millpond-source.ts';
import type { HeldReader, ItemRow, OpenOptions, SqlPeer } from './peer.ts';
import { INSERT_EVENT, POINT_READ, RANGE_READ, READ_BALANCE, WRITE_BALANCE } from './statements.ts';

const { openDatabase } = await importMillpond<typeof Millpond>('index');

/** millpond with its defaults; only the durability and, for the memory of readers, their number are given. */
export async function openPeer({ file, synchronous, readers }: OpenOptions): Promise<SqlPeer> {
  const db = await openDatabase({
    url: `sqlite:${file}`,
    name: false,
    durability: synchronous === 'full' ? 'full' : 'process',
    ...(readers !== undefined && { pool: { max: readers } }),
  });
  const valuesOf = ({ itemId, kind, payload, at }: NewEvent): (string | number)[] => [
    itemId,
    kind,
    payload,
    at,
  ];
  return {
    pointRead: (id) => db.get<ItemRow>(POINT_READ, [id]),
    rangeRead: (firstId, count) => db.all<ItemRow>(RANGE_READ, [firstId, count]),
    jsonBody: (firstId, count) => db.json(RANGE_READ, [firstId, count]),
    insert: (event) => db.run(INSERT_EVENT, valuesOf(event)),
    insertMany: (events) => db.batch(events.map((event) => [INSERT_EVENT, valuesOf(event)] as const)),
    increment: (id) =>
      db.transaction(async (tx) => {
        const balance = (await tx.value<number>(READ_BALANCE, [id]))!;
        await tx.run(WRITE_BALANCE, [balance + 1, id]);
      }),
    holdReaders: (count) => Promise.all(Array.from({ length: count }, () => holdReader(db))),
    value: (text) => db.value(text),
    setting: (pragma) => db.transaction((tx) => tx.value(`pragma ${pragma}`)),
    close: () => db.close(),
  };
}

/** A transaction that only reads has a reader to itself. */
async function holdReader(db: Millpond.Database): Promise<HeldReader> {
  const tx = await db.begin({ readOnly: true });
  return {
    rangeRead: (firstId, count) => tx.all<ItemRow>(RANGE_READ, [firstId, count]),
    release: () => tx.commit(),
  };
}
