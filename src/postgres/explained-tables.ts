/** A node of `explain (format json, verbose)`: the parts that are read. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly Operation?: string;
  readonly 'Relation Name'?: string;
  readonly Schema?: string;
  readonly Plans?: readonly PlanNode[];
}

/** A table, by schema and name. */
export type TableName = readonly [schema: string, name: string];

export interface ExplainedTables {
  readonly read: readonly TableName[];
  /** Rows are added only. */
  readonly inserted: readonly TableName[];
  /** Rows may be changed or deleted, which foreign keys may pass on. */
  readonly changed: readonly TableName[];
}

/** The tables of a plan: views and rules are resolved in it already. */
export function explainedTables(explained: readonly { readonly Plan: PlanNode }[]): ExplainedTables {
  const read: TableName[] = [];
  const inserted: TableName[] = [];
  const changed: TableName[] = [];
  const open = explained.map(({ Plan }) => Plan);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { 'Relation Name': table, Schema: schema = '', Plans: inner = [] } = node;
    open.push(...inner);
    if (table === undefined) continue;
    if (node['Node Type'] !== 'ModifyTable') read.push([schema, table]);
    // In a plan, ON CONFLICT DO UPDATE is an insertion.
    else if (node.Operation === 'Insert' && !('Conflict Resolution' in node)) inserted.push([schema, table]);
    else changed.push([schema, table]);
  }
  return { read, inserted, changed };
}
