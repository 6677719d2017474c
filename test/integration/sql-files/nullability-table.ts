import { expect, test } from 'vitest';
import { createShapeReader, type StatementShape } from '../../../src/codegen/index.ts';
import type { Database } from '../../../src/index.ts';

/** A query and what its columns are expected to be: types in order, `?` behind one that may be NULL. */
export type Row = readonly [query: string, expected: string];

/** Any type will do for the value, as far as the storage engine's kinds go. */
const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number' || typeof value === 'bigint',
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  Date: (value) => value instanceof Date,
  Uint8Array: (value) => value instanceof Uint8Array,
  unknown: () => true,
};

/** Checks each query: what is inferred, and that data with NULLs in every place they may be keeps to it. */
export function testNullability(open: () => Database, rows: readonly Row[]): void {
  test.each(rows)('%s gives %s', async (query, expected) => {
    const shape = await createShapeReader(open()).shapeOf(query);
    expect(shape.columns.map(({ type, nullable }) => `${type}${nullable ? '?' : ''}`).join(', ')).toBe(
      expected,
    );
    await expectKept(open(), query, shape);
  });
}

async function expectKept(
  db: Database,
  query: string,
  { columns, rows, parameters }: StatementShape,
): Promise<void> {
  const undo = new Error('undone');
  const values = parameters.map((shape) => (shape?.type === 'string' ? 'x' : 1));
  const found: unknown[][] = [];
  const work = db.transaction(async (tx) => {
    found.push(...(await tx.arrays(query, values)));
    throw undo;
  });
  await expect(work).rejects.toBe(undo);
  for (const row of found) {
    for (const [index, value] of row.entries()) {
      const { name, type, nullable } = columns[index]!;
      const fits = value === null ? nullable : type.split(' | ').some((kind) => kindOf(kind)(value));
      expect(fits, `${name}: ${type}${nullable ? '?' : ''} is ${String(value)}`).toBe(true);
    }
  }
  const [least, most] = { none: [0, 0], one: [1, 1], optional: [0, 1], many: [0, Infinity] }[rows];
  expect(found.length >= least! && found.length <= most!, `${rows}: ${found.length} rows`).toBe(true);
}

function kindOf(type: string): (value: unknown) => boolean {
  return KINDS[type] ?? (type.endsWith('[]') ? Array.isArray : () => false);
}
