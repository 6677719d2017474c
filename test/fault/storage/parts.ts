import type { DatabaseSync } from 'node:sqlite';
import { MillpondError, OutcomeUnknownError, type Database } from '../../../src/index.ts';

/**
 * The work of these experiments: operations of several parts each, so that a torn one shows. A row is one
 * part and says how many its operation has.
 */
export const SCHEMA =
  'create table if not exists parts (op text not null, part int not null, parts int not null, payload blob not null)';

const INSERT = 'insert into parts (op, part, parts, payload) values (?, ?, ?, zeroblob(?))';
const INSERT_ALL = `insert into parts (op, part, parts, payload)
  select :op, value, :parts, zeroblob(:bytes) from json_each(:list)`;
const PARTS = { single: 1, statement: 8, batch: 8, transaction: 4 } as const;

export type Kind = keyof typeof PARTS;
export const KINDS: readonly Kind[] = ['single', 'statement', 'batch', 'transaction'];

/** What the caller was told of one operation. */
export type Told = 'committed' | 'refused' | 'unknown';

export interface Answer {
  readonly told: Told;
  /** Absent where it was committed. */
  readonly code?: string;
}

/** Makes one operation through the public interface, and says what its caller was told. */
export async function perform(db: Database, op: string, kind: Kind, bytes: number): Promise<Answer> {
  try {
    await write(db, op, kind, bytes);
    return { told: 'committed' };
  } catch (error) {
    const code = error instanceof MillpondError ? error.code : `not one of millpond's: ${String(error)}`;
    return { told: error instanceof OutcomeUnknownError ? 'unknown' : 'refused', code };
  }
}

async function write(db: Database, op: string, kind: Kind, bytes: number): Promise<void> {
  const parts = PARTS[kind];
  const list = Array.from({ length: parts }, (_, part) => part);
  switch (kind) {
    case 'single':
      return void (await db.run(INSERT, [op, 0, parts, bytes]));
    case 'statement':
      return void (await db.run(INSERT_ALL, { op, parts, bytes, list: JSON.stringify(list) }));
    case 'batch':
      return void (await db.batch(list.map((part) => [INSERT, [op, part, parts, bytes]] as const)));
    case 'transaction':
      return db.transaction(async (tx) => {
        for (const part of list) await tx.run(INSERT, [op, part, parts, bytes]);
      });
  }
}

/** What the file holds, read with SQLite alone. */
export interface Content {
  readonly whole: ReadonlySet<string>;
  /** Operations of which some parts are there and some are not, or twice. */
  readonly torn: readonly string[];
  /** `ok`, or what `pragma integrity_check` found. */
  readonly integrity: string;
}

export function readContent(database: DatabaseSync): Content {
  const [integrity] = database.prepare('pragma integrity_check').all();
  const operations = database
    .prepare('select op, parts, count(distinct part) as present, count(*) as written from parts group by op')
    .all() as { op: string; parts: number; present: number; written: number }[];
  const isWhole = (one: (typeof operations)[number]) =>
    one.present === one.parts && one.written === one.parts;
  return {
    whole: new Set(operations.filter(isWhole).map(({ op }) => op)),
    torn: operations.filter((one) => !isWhole(one)).map(({ op }) => op),
    integrity: String(integrity?.['integrity_check']),
  };
}
