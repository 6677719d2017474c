import { deepStrictEqual } from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { itemOf } from '../harness/seed.ts';
import type { ItemRow, SqlPeer } from '../peers/index.ts';

/** The row that every peer must answer with for this id. */
export function expectedRow(id: number): ItemRow {
  const { createdAt, ...rest } = itemOf(id);
  return { ...rest, created_at: createdAt };
}

/** A fast wrong answer is worth nothing: checked before every measurement, with calls at the same time. */
export async function checkReads(peer: SqlPeer): Promise<void> {
  const ids = [1, 2, 50_000, 100_000];
  const rows = await Promise.all(ids.map((id) => peer.pointRead(id)));
  deepStrictEqual(
    rows.map((row) => columnsOf(row!)),
    ids.map(expectedRow),
  );
  const firsts = [1, 777, 99_000];
  const ranges = await Promise.all(firsts.map((first) => peer.rangeRead(first, 100)));
  for (const [index, range] of ranges.entries()) {
    const expected = Array.from({ length: 100 }, (_, offset) => expectedRow(firsts[index]! + offset));
    deepStrictEqual(range.map(columnsOf), expected);
  }
}

/** Some drivers give rows without a prototype, or with metadata beside the columns. */
function columnsOf({ id, name, email, age, score, created_at }: ItemRow): ItemRow {
  return { id, name, email, age, score, created_at };
}

/** Reads from every row what a caller would: a row object that is built only when looked at must be built here. */
export function consume(rows: readonly ItemRow[]): number {
  let sum = 0;
  for (const row of rows) {
    sum += row.id + row.name.length + row.email.length + row.age + row.score + row.created_at;
  }
  return sum;
}

/** One number straight from the file, after the peer has closed it. */
export function numberInFile(file: string, text: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return Object.values(db.prepare(text).get()!)[0] as number;
  } finally {
    db.close();
  }
}
