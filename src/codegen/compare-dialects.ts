import type { SqlFileProblem } from '../errors/index.ts';
import { fullName, type SqlQuery } from '../sqlfile/index.ts';
import type { QueryTypes } from './infer-query.ts';

/** Columns with one name on one dialect and another, or none, on the next: such rows have no type. */
export function dialectWarnings(query: SqlQuery, types: readonly QueryTypes[]): SqlFileProblem[] {
  const { source, definition } = query;
  const [first, ...others] = types;
  const isRow = definition.operation !== 'value' && first!.columns.length > 1;
  if (!isRow && definition.operation !== 'many' && definition.operation !== 'one') return [];
  const end = definition.offset + definition.name.length;
  return others.flatMap((other) =>
    [...missing(first!, other), ...missing(other, first!)].map((message) =>
      source.problem(`${fullName(query)} ${message}`, definition.offset, end),
    ),
  );
}

function missing(one: QueryTypes, other: QueryTypes): string[] {
  return one.columns
    .filter(({ name }) => other.columns.every((column) => column.name !== name))
    .map(
      ({ name }) => `has a column ${name} on ${one.dialect} and none on ${other.dialect}: name it with AS.`,
    );
}
