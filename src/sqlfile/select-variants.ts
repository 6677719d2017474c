import type { Dialect } from '../sql/index.ts';
import { fullName, type InitScript, type SqlQuery } from './folder.ts';

/**
 * One name, and the query behind it on one dialect; undefined where there is only one for another dialect.
 */
export interface SelectedQuery {
  readonly name: string;
  readonly namespace: readonly string[];
  readonly query: SqlQuery | undefined;
}

/** What each name means on a dialect: its own variant, or else the one for all. */
export function selectVariants(queries: readonly SqlQuery[], dialect: Dialect): SelectedQuery[] {
  const selected = new Map<string, SelectedQuery>();
  for (const query of queries) {
    const name = fullName(query);
    const rank = query.definition.dialect === dialect ? 2 : query.definition.dialect === undefined ? 1 : 0;
    const known = selected.get(name);
    const isBetter = known === undefined || (rank > 0 && (known.query === undefined || rank === 2));
    if (isBetter)
      selected.set(name, { name, namespace: query.namespace, query: rank > 0 ? query : undefined });
  }
  return [...selected.values()];
}

/** The script that creates the first tables on a dialect. */
export function selectInitScript(scripts: readonly InitScript[], dialect: Dialect): InitScript | undefined {
  return (
    scripts.find((script) => script.dialect === dialect) ??
    scripts.find((script) => script.dialect === undefined)
  );
}
