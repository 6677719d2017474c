import Database from 'libsql/promise';
import type { ItemRow, OpenOptions, SqlPeer } from './peer.ts';
import {
  INSERT_EVENT,
  POINT_READ,
  RANGE_READ,
  READ_BALANCE,
  settingsOf,
  WRITE_BALANCE,
} from './statements.ts';

/** What is called of a statement of libsql's promise API, whose own types are all `any`. */
interface LibsqlStatement {
  get(...params: readonly unknown[]): unknown;
  all(...params: readonly unknown[]): Promise<unknown[]>;
  run(...params: readonly unknown[]): unknown;
}

interface LibsqlDatabase {
  prepare(text: string): Promise<LibsqlStatement>;
  exec(text: string): Promise<void>;
  close(): void;
}

/** libsql's promise API: one connection; `get` and `run` work on the calling thread, `all` begins on another. */
export async function openPeer({ file, synchronous }: OpenOptions): Promise<SqlPeer> {
  const db = new Database(file, {}) as LibsqlDatabase;
  for (const setting of settingsOf(synchronous)) await (await db.prepare(`pragma ${setting}`)).all();
  const point = await db.prepare(POINT_READ);
  const insert = await db.prepare(INSERT_EVENT);
  const range = freeStatements(db, RANGE_READ);
  return {
    pointRead: (id) => point.get(id) as ItemRow | undefined,
    rangeRead: (firstId, count) => range((statement) => statement.all(firstId, count) as Promise<ItemRow[]>),
    insert: ({ itemId, kind, payload, at }) => insert.run(itemId, kind, payload, at),
    increment: await incrementOn(db),
    value: async (text) => Object.values((await (await db.prepare(text)).get()) as object)[0],
    close: () => db.close(),
  };
}

/** `all` is asynchronous and keeps its place in the statement: calls at the same time need one each. */
function freeStatements(db: LibsqlDatabase, text: string) {
  const free: LibsqlStatement[] = [];
  return async <T>(use: (statement: LibsqlStatement) => Promise<T>): Promise<T> => {
    const statement = free.pop() ?? (await db.prepare(text));
    try {
      return await use(statement);
    } finally {
      free.push(statement);
    }
  };
}

/** One connection holds one transaction at a time, and the API has no queue for them: the application brings it. */
async function incrementOn(db: LibsqlDatabase): Promise<(id: number) => Promise<void>> {
  const read = await db.prepare(READ_BALANCE);
  const write = await db.prepare(WRITE_BALANCE);
  const increment = async (id: number): Promise<void> => {
    await db.exec('begin immediate');
    const { balance } = read.get(id) as { balance: number };
    write.run(balance + 1, id);
    await db.exec('commit');
  };
  let last: Promise<void> = Promise.resolve();
  return (id) => (last = last.then(() => increment(id)));
}
