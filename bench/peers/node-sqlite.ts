import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { NewEvent } from '../harness/seed.ts';
import type { ItemRow, OpenOptions, SqlPeer } from './peer.ts';
import {
  INSERT_EVENT,
  POINT_READ,
  RANGE_READ,
  READ_BALANCE,
  settingsOf,
  WRITE_BALANCE,
} from './statements.ts';

/** `node:sqlite` on the main thread: one connection, statements prepared once. */
export function openPeer({ file, synchronous }: OpenOptions): SqlPeer {
  const db = new DatabaseSync(file);
  for (const setting of settingsOf(synchronous)) db.exec(`pragma ${setting}`);
  let point: StatementSync | undefined;
  let range: StatementSync | undefined;
  let insert: StatementSync | undefined;
  let increment: ((id: number) => void) | undefined;
  const add = ({ itemId, kind, payload, at }: NewEvent): unknown =>
    (insert ??= db.prepare(INSERT_EVENT)).run(itemId, kind, payload, at);
  return {
    pointRead: (id) => (point ??= db.prepare(POINT_READ)).get(id) as unknown as ItemRow | undefined,
    rangeRead: (firstId, count) =>
      (range ??= db.prepare(RANGE_READ)).all(firstId, count) as unknown as readonly ItemRow[],
    insert: add,
    insertMany: (events) => inTransaction(db, () => events.forEach(add)),
    increment: (id) => (increment ??= incrementOn(db))(id),
    value: (text) => Object.values(db.prepare(text).get() ?? {})[0],
    close: () => db.close(),
  };
}

function incrementOn(db: DatabaseSync): (id: number) => void {
  const read = db.prepare(READ_BALANCE);
  const write = db.prepare(WRITE_BALANCE);
  return (id) =>
    inTransaction(db, () => {
      const { balance } = read.get(id) as unknown as { balance: number };
      write.run(balance + 1, id);
    });
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('begin immediate');
  try {
    work();
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}
