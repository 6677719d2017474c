import { eq, sql, type SQL } from 'drizzle-orm';
import { UsageError } from '../errors/index.ts';
import { columnOf, keyValues } from './conditions.ts';
import { encoded, isSql } from './row-codec.ts';
import type { TableFacts } from './table-facts.ts';

type Row = Record<string, unknown>;

/** What an update sets, and which version the row must have for it. */
export interface Changes {
  readonly set: Row;
  readonly version: SQL | undefined;
}

/** What every write to an existing row sets besides: `updatedAt` and the like, and the version. */
export function renewals({ columns, renewed, version }: TableFacts): Row {
  const set: Row = Object.fromEntries(renewed.map((key) => [key, columns[key]!.onUpdateFn!()]));
  if (version !== undefined) set[version] = sql`${columns[version]!} + 1`;
  return set;
}

/** @throws UsageError for an unknown column, another key than the row's, or nothing to change */
export function changesOf(facts: TableFacts, patch: Row, id?: unknown): Changes {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const set: Row = {};
  let version: SQL | undefined;
  for (const [key, value] of given) {
    const column = columnOf(facts, key);
    if (key === facts.version) version = eq(column, value);
    else if (!facts.key.includes(key)) set[key] = value;
    else assertSameKey(facts, key, { value, id });
  }
  const all = { ...set, ...renewals(facts) };
  if (Object.keys(all).length > 0) return { set: all, version };
  throw new UsageError(`The update of "${facts.name}" changes nothing.`);
}

function assertSameKey(facts: TableFacts, key: string, { value, id }: { value: unknown; id: unknown }): void {
  const column = facts.columns[key]!;
  const isSame =
    id !== undefined &&
    !isSql(value) &&
    String(encoded(column, value)) === String(encoded(column, keyValues(facts, id)[facts.key.indexOf(key)]));
  if (isSame) return;
  throw new UsageError(
    `An update of "${facts.name}" does not change the key: ${key} is another one in the patch.`,
  );
}
