import { expect, test } from 'vitest';
import { createShapeReader } from '../../../src/codegen/index.ts';
import type { Database } from '../../../src/index.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { openPostgresScratch } from '../../fixtures/scratch-postgres.ts';
import { RandomQueries, SCHEMA } from './random-postgres-queries.ts';

/** With one set of rows each. */
const QUERIES_OF_ROUND = 20;

/** Undefined where the server finds a fault in the data: a subquery of several rows, too large a number. */
async function rowsOf(db: Database, query: string): Promise<unknown[][] | undefined> {
  const undo = new Error('undone');
  let rows: unknown[][] | undefined;
  await db
    .transaction(async (tx) => {
      rows = await tx.arrays(query);
      throw undo;
    })
    .catch(() => undefined);
  return rows;
}

test(
  'D17: no random query on PostgreSQL gives NULL, or rows, where its types say that it does not',
  { timeout: scaledTimeoutMs() },
  async () => {
    const db = await openPostgresScratch(SCHEMA);
    const random = new RandomQueries(randomFrom(seed));
    const reader = createShapeReader(db);
    let exact = 0;
    for (let round = 0; round < scaled(4); round += 1) {
      const queries = Array.from({ length: QUERIES_OF_ROUND }, () => random.query());
      const shapes = await Promise.all(queries.map((query) => reader.shapeOf(query)));
      for (let data = 0; data < 2; data += 1) {
        await db.script(random.rows());
        for (const [index, query] of queries.entries()) {
          const { columns, rows: count } = shapes[index]!;
          const rows = await rowsOf(db, query);
          if (rows === undefined) continue;
          const at = `seed ${seed}, round ${round}: ${query}`;
          const nulls = columns.filter(
            ({ nullable }, column) => !nullable && rows.some((row) => row[column] === null),
          );
          expect(nulls, at).toEqual([]);
          const [least, most] = { none: [0, 0], one: [1, 1], optional: [0, 1], many: [0, Infinity] }[count];
          expect(
            rows.length >= least! && rows.length <= most!,
            `${rows.length} rows, not ${count}, ${at}`,
          ).toBe(true);
          exact += columns.filter(({ nullable }) => !nullable).length;
        }
      }
    }
    // Saying nothing would be right too, and of no use.
    expect(exact).toBeGreaterThan(scaled(20));
  },
);
