import { and, type SQL } from 'drizzle-orm';
import type { CallOptions } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import {
  behind,
  cursorOf,
  exactFields,
  orderTerms,
  readCursor,
  totalOrder,
  type TotalOrder,
} from './keyset.ts';
import type { KeysetPage, OffsetPage } from './row-types.ts';
import type { StoredRow, TableStore } from './table-store.ts';

const LARGEST_PAGE = 10_000;

export interface PageRequest {
  readonly where: SQL | undefined;
  readonly size: number;
  readonly page: number | undefined;
  /** undefined = by number */
  readonly after: string | null | undefined;
  readonly orderBy: Readonly<Record<string, unknown>> | undefined;
  readonly total: boolean | undefined;
}

type Page = OffsetPage<StoredRow> | KeysetPage<StoredRow>;

/** One row more than the page is read, to know whether there is a next one. */
export async function readPage(
  store: TableStore,
  request: PageRequest,
  options: CallOptions,
): Promise<Page & { readonly total?: number }> {
  const { size, after, page = 1, total } = request;
  assertWithin('size', size, LARGEST_PAGE);
  assertWithin('page', page, Number.MAX_SAFE_INTEGER / LARGEST_PAGE);
  const order = totalOrder(store.facts, request.orderBy);
  const rows =
    after === undefined
      ? offsetPage(store, { ...request, page, order }, options)
      : keysetPage(store, { ...request, after, order }, options);
  if (total !== true) return rows;
  const [read, counted] = await Promise.all([rows, store.count(request.where, options)]);
  return { ...read, total: counted };
}

async function offsetPage(
  store: TableStore,
  { where, size, page, order }: PageRequest & { readonly page: number; readonly order: TotalOrder },
  options: CallOptions,
): Promise<OffsetPage<StoredRow>> {
  const selection = { where, orderBy: orderTerms(order), limit: size + 1, offset: (page - 1) * size };
  const rows = await store.find(selection, options);
  return { rows: rows.slice(0, size), page, size, hasNext: rows.length > size };
}

async function keysetPage(
  store: TableStore,
  { where, size, after, order }: PageRequest & { readonly after: string | null; readonly order: TotalOrder },
  options: CallOptions,
): Promise<KeysetPage<StoredRow>> {
  const from = after === null ? undefined : behind(order, readCursor(order, after), store.facts);
  const exact = exactFields(order);
  const selection = { where: and(where, from), orderBy: orderTerms(order), limit: size + 1, beside: exact };
  const read = await store.find(selection, options);
  const rows = read.slice(0, size);
  const next = read.length > size ? cursorOf(order, rows.at(-1)!) : undefined;
  for (const key of Object.keys(exact)) for (const row of rows) delete row[key];
  return { rows, size, next };
}

function assertWithin(name: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
  throw new UsageError(`The ${name} of a page is a whole number from 1 to ${Math.floor(most)}.`);
}
