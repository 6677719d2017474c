import { and, asc, desc, eq, gt, is, isNotNull, isNull, lt, or, sql, SQL, type Column } from 'drizzle-orm';
import { UsageError } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';
import { columnOf } from './conditions.ts';
import { encoded } from './row-codec.ts';
import type { Fields } from './statement-builder.ts';
import type { TableFacts } from './table-facts.ts';

type Row = Readonly<Record<string, unknown>>;

/** One step of an order. */
interface OrderStep {
  readonly key: string;
  readonly column: Column;
  readonly direction: 'asc' | 'desc';
}

/** An order in which no two rows are equal: the columns asked for, and then the key. */
export type TotalOrder = readonly OrderStep[];

const CURSOR_MOST_CHARACTERS = 8_192;

export function totalOrder(facts: TableFacts, given: Readonly<Record<string, unknown>> = {}): TotalOrder {
  const steps = Object.entries(given)
    .filter(([, direction]) => direction !== undefined)
    .map(([key, direction]) => ({ key, column: columnOf(facts, key), direction: checked(key, direction) }));
  const rest = facts.key.filter((key) => given[key] === undefined);
  // The key follows the last column's direction: then one index serves the whole order.
  const direction = steps.at(-1)?.direction ?? 'asc';
  return [...steps, ...rest.map((key) => ({ key, column: facts.columns[key]!, direction }))];
}

function checked(key: string, direction: unknown): 'asc' | 'desc' {
  if (direction === 'asc' || direction === 'desc') return direction;
  throw new UsageError(`The order of "${key}" is 'asc' or 'desc'.`);
}

/** The order of a read without pages: by columns, or drizzle's own terms. */
export function orderOf(facts: TableFacts, given: unknown): SQL[] {
  if (given === undefined) return [];
  if (is(given, SQL)) return [given];
  if (Array.isArray(given)) return given as SQL[];
  const steps = Object.entries(given as Row).filter(([, direction]) => direction !== undefined);
  return steps.map(([key, direction]) => {
    const column = columnOf(facts, key);
    return checked(key, direction) === 'asc' ? asc(column) : desc(column);
  });
}

export function orderTerms(order: TotalOrder): SQL[] {
  return order.map(({ column, direction }) => (direction === 'asc' ? asc(column) : desc(column)));
}

/** The rows behind this one: later in the first column, or equal there and later in the next, and so on. */
export function behind(order: TotalOrder, values: readonly unknown[], { dialect }: TableFacts): SQL {
  const alternatives = order.flatMap((step, index) => {
    const later = laterThan(step, values[index], dialect);
    const equal = order.slice(0, index).map(({ column }, at) => equalTo(column, values[at]));
    return later === undefined ? [] : [and(...equal, later)];
  });
  return or(...alternatives)!;
}

function equalTo(column: Column, value: unknown): SQL {
  return value === null ? isNull(column) : eq(column, sql.param(value));
}

/**
 * Undefined where nothing is. Null is the smallest for SQLite and the largest for PostgreSQL.
 * https://sqlite.org/lang_select.html#orderby https://www.postgresql.org/docs/current/queries-order.html
 */
function laterThan({ column, direction }: OrderStep, value: unknown, dialect: Dialect): SQL | undefined {
  const areNullsFirst = (dialect === 'sqlite') === (direction === 'asc');
  if (value === null) return areNullsFirst ? isNotNull(column) : undefined;
  // As the engine has it: the column's own mapping was done when the cursor was made.
  const bound = sql.param(value);
  const later = direction === 'asc' ? gt(column, bound) : lt(column, bound);
  return areNullsFirst || column.notNull ? later : or(later, isNull(column));
}

/**
 * What must be read in addition to the rows: PostgreSQL's times have microseconds and a `Date` has not, so a
 * page that began behind a `Date` would leave rows out.
 */
export function exactFields(order: TotalOrder): Fields {
  const times = order.filter(({ column }) => isFineTime(column));
  return Object.fromEntries(
    times.map(({ key, column }) => [exactKey(key), sql`${column}::text`.as(exactKey(key))]),
  );
}

function isFineTime({ columnType }: Column): boolean {
  return columnType === 'PgTimestamp' || columnType === 'PgTimestampString';
}

function exactKey(key: string): string {
  return `exact ${key}`;
}

/** The `after` of the next page: the row's values of the order, as the engine has them. */
export function cursorOf(order: TotalOrder, row: Row): string {
  const values = order.map(({ key, column }) =>
    toJson(isFineTime(column) ? row[exactKey(key)] : encoded(column, row[key])),
  );
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/**
 * It may come from anywhere: its values are only bound. @throws UsageError when it is not a cursor of this
 * order
 */
export function readCursor(order: TotalOrder, cursor: unknown): unknown[] {
  const values = parsed(cursor);
  if (values?.length === order.length) {
    const read = order.map(({ column }, index) => fromJson(column, values[index]));
    if (read.every((value) => value !== undefined)) return read;
  }
  throw new UsageError("`after` is no cursor of this order: it takes a page's `next`, unchanged, or null.");
}

function parsed(cursor: unknown): unknown[] | undefined {
  if (typeof cursor !== 'string' || cursor.length > CURSOR_MOST_CHARACTERS) return undefined;
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(values) ? values : undefined;
  } catch {
    return undefined;
  }
}

function toJson(value: unknown): unknown {
  if (value === null) return null;
  if (typeof value === 'bigint') return { bigint: `${value}` };
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: `${value}` };
  if (value instanceof Date) return value.toISOString();
  if (['string', 'number', 'boolean'].includes(typeof value)) return value;
  throw new UsageError('Pages with a cursor need an order by numbers, texts, times or booleans.');
}

const FINE_TIME =
  /^(?:-?infinity|\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d(?::\d\d){0,2})?(?: BC)?)$/;

/** Undefined for a value that a cursor of this column cannot hold. */
function fromJson(column: Column, value: unknown): unknown {
  const { dataType, notNull } = column;
  if (value === null) return notNull ? undefined : null;
  if (typeof value === 'object') return numberFrom(value);
  if (isFineTime(column)) return typeof value === 'string' && FINE_TIME.test(value) ? value : undefined;
  if (dataType === 'date') return isTime(value) ? value : undefined;
  const fits = dataType === 'number' || dataType === 'string' ? typeof value === dataType : true;
  return fits && ['string', 'number', 'boolean'].includes(typeof value) ? value : undefined;
}

/** SQLite has times as numbers, PostgreSQL dates as texts. */
function isTime(value: unknown): boolean {
  if (typeof value !== 'string') return typeof value === 'number';
  return /^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(new Date(value).getTime());
}

/** Numbers that JSON does not have. */
function numberFrom({ bigint, number }: { bigint?: unknown; number?: unknown }): unknown {
  if (typeof bigint === 'string' && /^-?\d{1,19}$/.test(bigint)) return BigInt(bigint);
  const isOther = number === 'Infinity' || number === '-Infinity' || number === 'NaN';
  return isOther ? Number(number) : undefined;
}
