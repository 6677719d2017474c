import { sql } from 'drizzle-orm';
import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { expect, test } from 'vitest';
import { repository } from '../../src/drizzle/index.ts';
import { openScratch } from '../fixtures/scratch-database.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';
import { fc } from '../fixtures/property.ts';

const rows = sqliteTable('rows', {
  id: integer().primaryKey(),
  a: integer().notNull(),
  b: text().notNull(),
  c: real().notNull(),
  d: integer({ mode: 'timestamp_ms' }).notNull(),
  e: integer({ mode: 'boolean' }).notNull(),
});

const NAMES = ['a', 'b', 'c', 'd', 'e', 'id'] as const;

/** Few values each, so that many rows are equal in all but their key. */
const row = fc.record({
  a: fc.integer({ min: -1, max: 1 }),
  b: fc.constantFrom('', "'", 'a', 'ä', 'Z'),
  c: fc.constantFrom(-1.5, 0, 0.1, 1e300),
  d: fc.integer({ min: 0, max: 2 }).map((ms) => new Date(ms)),
  e: fc.boolean(),
});
const order = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('asc', 'desc')), {
    selector: ([name]) => name,
    maxLength: NAMES.length,
  })
  .map((steps) => Object.fromEntries(steps) as Partial<Record<(typeof NAMES)[number], 'asc' | 'desc'>>);

test(
  'pages behind cursors are the rows in their order, each once, whatever the order and the size (P11)',
  async () => {
    const { db } = await openScratch(
      'create table rows (id integer primary key, a integer, b text, c real, d integer, e integer)',
    );
    const table = repository(db, rows);
    const property = fc.asyncProperty(
      fc.array(row, { maxLength: 40 }),
      order,
      fc.integer({ min: 1, max: 15 }),
      async (given, orderBy, size) => {
        await table.deleteWhere(sql`1 = 1`);
        await table.saveMany(given);
        const { rows: expected } = await table.findPage({ size: 100, orderBy });
        expect(expected).toHaveLength(given.length);
        const seen: unknown[] = [];
        let after: string | null | undefined = null;
        while (after !== undefined) {
          const page: { rows: unknown[]; next: string | undefined } = await table.findPage({
            size,
            after,
            orderBy,
          });
          expect(page.rows.length).toBeLessThanOrEqual(size);
          seen.push(...page.rows);
          after = page.next;
        }
        expect(seen).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: scaled(60) });
  },
  scaledTimeoutMs(),
);
