import Database from 'better-sqlite3';
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

/** better-sqlite3 on the main thread: one connection, statements prepared once. */
export function openPeer({ file, synchronous }: OpenOptions): SqlPeer {
  const db = openBetterSqlite3(file, synchronous);
  // Prepared at first use, so that opening costs what a program that runs one query pays.
  let point: Database.Statement<[number], ItemRow> | undefined;
  let range: Database.Statement<[number, number], ItemRow> | undefined;
  let insert: Database.Statement<[number, string, string, number]> | undefined;
  let increment: Database.Transaction<(id: number) => void> | undefined;
  const add = ({ itemId, kind, payload, at }: NewEvent): Database.RunResult =>
    (insert ??= db.prepare(INSERT_EVENT)).run(itemId, kind, payload, at);
  return {
    pointRead: (id) => (point ??= db.prepare(POINT_READ)).get(id),
    rangeRead: (firstId, count) => (range ??= db.prepare(RANGE_READ)).all(firstId, count),
    insert: add,
    insertMany: db.transaction((events: readonly NewEvent[]) => events.forEach(add)),
    increment: (id) => (increment ??= incrementOn(db)).immediate(id),
    value: (text) => db.prepare(text).pluck().get(),
    close: () => void db.close(),
  };
}

export function openBetterSqlite3(file: string, synchronous: OpenOptions['synchronous']): Database.Database {
  const db = new Database(file);
  for (const setting of settingsOf(synchronous)) db.pragma(setting);
  return db;
}

function incrementOn(db: Database.Database): Database.Transaction<(id: number) => void> {
  const read = db.prepare<[number], { balance: number }>(READ_BALANCE);
  const write = db.prepare<[number, number]>(WRITE_BALANCE);
  return db.transaction((id: number) => {
    const { balance } = read.get(id)!;
    write.run(balance + 1, id);
  });
}
