import { and, asc, desc, eq, gt, is, lt, or, sql, SQL, type Column } from 'drizzle-orm';
import { UsageError } from '../errors/index.ts';
import { columnOf } from './conditions.ts';
import { encoded } from './row-codec.ts';
import type { TableFacts } from './table-facts.ts';

type Row = Readonly<Record<string, unknown>>;

/** One step of an order. */
interface OrderStep {
  readonly key: string;
  readonly column: Column;
  readonly direction: 'asc' | 'desc';
}

/** An order in which no two rows are equal: what was asked for, and then the key. */
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

/** @throws UsageError for a column that may be null: rows would have no place in the order */
export function assertKeyset(facts: TableFacts, order: TotalOrder): void {
  const nullable = order.find(({ column }) => !column.notNull && !column.primary);
  if (nullable === undefined || facts.key.includes(nullable.key)) return;
  throw new UsageError(
    `"${facts.name}.${nullable.key}" may be null; pages with a cursor need an order without nulls.`,
  );
}

/** The rows behind this one: later in the first column, or equal there and later in the next, and so on. */
export function behind(order: TotalOrder, values: readonly unknown[]): SQL {
  // As the engine has them: the columns' own mapping was done when the cursor was made.
  const bound = values.map((value) => sql.param(value));
  const alternatives = order.map(({ column, direction }, index) => {
    const equal = order.slice(0, index).map((step, at) => eq(step.column, bound[at]));
    return and(...equal, direction === 'asc' ? gt(column, bound[index]) : lt(column, bound[index]));
  });
  return or(...alternatives)!;
}

/** What `after` of the next page is: the row's values of the order, as the engine has them. */
export function cursorOf(order: TotalOrder, row: Row): string {
  const values = order.map(({ key, column }) => toJson(encoded(column, row[key])));
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** From anywhere: its values are only bound. @throws UsageError when it is no cursor of this order */
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
  if (typeof value === 'bigint') return { bigint: `${value}` };
  if (value instanceof Date) return value.toISOString();
  if (['string', 'number', 'boolean'].includes(typeof value)) return value;
  throw new UsageError('Pages with a cursor need an order by numbers, texts, times or booleans.');
}

/** Undefined for what no cursor of this column holds. */
function fromJson({ dataType }: Column, value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    const digits = (value as { bigint?: unknown }).bigint;
    return typeof digits === 'string' && /^-?\d{1,19}$/.test(digits) ? BigInt(digits) : undefined;
  }
  const fits = dataType === 'number' || dataType === 'string' ? typeof value === dataType : true;
  if (dataType === 'date' && Number.isNaN(new Date(value as string).getTime())) return undefined;
  return fits && ['string', 'number', 'boolean'].includes(typeof value) ? value : undefined;
}
