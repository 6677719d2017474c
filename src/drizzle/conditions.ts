import { and, eq, is, isNotNull, isNull, sql, SQL, type Column } from 'drizzle-orm';
import { UsageError } from '../errors/index.ts';
import type { TableFacts } from './table-facts.ts';

/** The condition that a caller may give; see `Where`. */
export type GivenWhere = SQL | Readonly<Record<string, unknown>>;

/** @throws UsageError for an unknown column, or an undefined value */
export function conditionOf(facts: TableFacts, where: GivenWhere): SQL | undefined {
  if (is(where, SQL)) return where;
  if (typeof where !== 'object' || where === null || Array.isArray(where)) {
    throw new UsageError(`A condition on "${facts.name}" is drizzle's, or an object of columns and values.`);
  }
  return and(
    ...Object.entries(where).map(([key, value]) => {
      const column = facts.columns[key];
      if (column === undefined) throw new UsageError(`The table "${facts.name}" has no column "${key}".`);
      if (value === undefined) {
        throw new UsageError(
          `The condition on "${facts.name}.${key}" is undefined, which would match every row: ` +
            'leave it out, or give null to mean IS NULL.',
        );
      }
      return value === null ? isNull(column) : eq(column, value);
    }),
  );
}

/** For writes: an empty condition would hit every row. */
export function requiredConditionOf(facts: TableFacts, where: GivenWhere): SQL {
  const condition = conditionOf(facts, where);
  if (condition !== undefined) return condition;
  throw new UsageError(
    `A write to many rows of "${facts.name}" needs a condition; for all of them sql\`1 = 1\`.`,
  );
}

/** Rows that are not marked as deleted. */
export function liveCondition({ columns, deleted }: TableFacts): SQL | undefined {
  return deleted === undefined ? undefined : isNull(columns[deleted]!);
}

export function deletedCondition({ columns, deleted }: TableFacts): SQL | undefined {
  return deleted === undefined ? undefined : isNotNull(columns[deleted]!);
}

/** The row with this key: a value, or an object of values when the key has several columns. */
export function keyCondition(facts: TableFacts, id: unknown): SQL {
  const values = keyValues(facts, id);
  return and(...facts.key.map((key, index) => eq(facts.columns[key]!, values[index])))!;
}

/** The same with placeholders named `0`, `1`, …, for a text that is kept. */
export function keyPlaceholders(facts: TableFacts): SQL {
  return and(
    ...facts.key.map((key, index) => {
      const column = facts.columns[key]!;
      return eq(column, sql.param(sql.placeholder(`${index}`), column));
    }),
  )!;
}

/** In the order of the key's columns. @throws UsageError where one is missing */
export function keyValues({ name, key }: TableFacts, id: unknown): unknown[] {
  const isObject = typeof id === 'object' && id !== null;
  const values =
    key.length === 1 ? [id] : key.map((one) => (isObject ? (id as Record<string, unknown>)[one] : undefined));
  if (values.every((value) => value !== undefined && value !== null)) return values;
  const shape = key.length === 1 ? `the value of ${key[0]}` : `an object of ${key.join(', ')}`;
  throw new UsageError(`A row of "${name}" is found by ${shape}; something of it is missing.`);
}

export function columnOf(facts: TableFacts, key: string): Column {
  const column = facts.columns[key];
  if (column === undefined) throw new UsageError(`The table "${facts.name}" has no column "${key}".`);
  return column;
}
