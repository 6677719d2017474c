/** A node of `explain (format json, verbose)`, as far as it is read. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Schema?: string;
  readonly Plans?: readonly PlanNode[];
}

export interface TouchedTables {
  readonly read: readonly string[];
  readonly written: readonly string[];
}

/**
 * The tables of a plan: views and rules are resolved in it already. A table outside `visibleSchemas` is named
 * with its schema.
 */
export function tablesOf(
  explained: readonly { readonly Plan: PlanNode }[],
  visibleSchemas: ReadonlySet<string>,
): TouchedTables {
  const read = new Set<string>();
  const written = new Set<string>();
  const open = explained.map(({ Plan }) => Plan);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { 'Relation Name': table, Schema: schema, Plans: inner = [] } = node;
    if (table !== undefined) {
      const name = schema === undefined || visibleSchemas.has(schema) ? table : `${schema}.${table}`;
      (node['Node Type'] === 'ModifyTable' ? written : read).add(name);
    }
    open.push(...inner);
  }
  return { read: [...read], written: [...written] };
}
