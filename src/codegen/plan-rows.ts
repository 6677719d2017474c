import { equalitiesOf, JOIN_CONDITIONS, ROW_CONDITIONS, type Equality } from './plan-conditions.ts';
import { qualified, type PlanConditions, type PlanNode } from './plan-facts.ts';
import type { RowCount } from './query-shape.ts';

/** What the catalog says of tables, by their names as `regclass` writes them. */
export interface RowRules {
  /** The columns of each unique key of whole rows. */
  readonly keys: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Tables in which every row that is inserted arrives: no trigger may drop it. */
  readonly plainTables: ReadonlySet<string>;
}

type Count = Exclude<RowCount, 'none'>;

const SAME_ROWS: ReadonlySet<string> = new Set([
  ...['Hash', 'Incremental Sort', 'LockRows', 'Materialize', 'Memoize', 'Sort', 'Subquery Scan', 'Unique'],
  'WindowAgg',
]);
const JOINS: ReadonlySet<string> = new Set(['Hash Join', 'Merge Join', 'Nested Loop']);

/**
 * How many rows a plan gives, whatever is in the tables: one by an aggregate of everything or a VALUES of one
 * row, one at most by a unique key that is held to one value, alone or through joins.
 */
export class PlanRows {
  readonly #rules: RowRules;
  readonly #endsWithOne: boolean;
  readonly #parts: ReadonlyMap<string, PlanNode | undefined>;

  /** @param endsWithOne whether the statement's own LIMIT is 1, which no plan shows */
  constructor(rules: RowRules, endsWithOne: boolean, parts: ReadonlyMap<string, PlanNode | undefined>) {
    this.#rules = rules;
    this.#endsWithOne = endsWithOne;
    this.#parts = parts;
  }

  count(plan: PlanNode): Count {
    const limited = plan['Node Type'] === 'LockRows' ? plan.Plans?.[0] : plan;
    if (limited?.['Node Type'] === 'Limit' && this.#endsWithOne) return 'optional';
    return this.#count(plan);
  }

  /** The same of a subquery or a common table. */
  countPart(part: PlanNode): Count {
    return this.#count(part);
  }

  #count(node: PlanNode): Count {
    const type = node['Node Type'];
    const [child] = inputsOf(node);
    if (type === 'Aggregate') return this.#aggregate(node);
    if (type === 'ModifyTable') return this.#modified(node);
    if (type === 'CTE Scan') return filtered(node, this.#commonTable(node));
    if (type === 'Result') return filtered(node, child === undefined ? 'one' : this.#count(child));
    if (type === 'Limit') return atMost(child === undefined ? 'many' : this.#count(child));
    if (SAME_ROWS.has(type)) return child === undefined ? 'many' : filtered(node, this.#count(child));
    return isSingle(this.#partsOf(node)) ? 'optional' : 'many';
  }

  #commonTable(node: PlanNode): Count {
    const part = this.#parts.get(`CTE ${node['CTE Name'] ?? ''}`);
    return part === undefined ? 'many' : this.#count(part);
  }

  #aggregate(node: PlanNode): Count {
    if (node.Strategy === 'Plain') return filtered(node, 'one');
    const [child] = inputsOf(node);
    return child === undefined || node['Grouping Sets'] !== undefined ? 'many' : atMost(this.#count(child));
  }

  #modified(node: PlanNode): Count {
    const [child] = inputsOf(node);
    const count = child === undefined ? 'many' : this.#count(child);
    const table = qualified(node.Schema, node['Relation Name'] ?? '');
    const mayLeaveOut = node['Conflict Resolution'] === 'NOTHING' || node['Conflict Filter'] !== undefined;
    const arrives = node.Operation === 'Insert' && !mayLeaveOut && this.#rules.plainTables.has(table);
    return arrives ? count : atMost(count);
  }

  /** The tables that are joined here, and what holds their columns to one value. */
  #partsOf(node: PlanNode): Parts {
    const type = node['Node Type'];
    if (JOINS.has(type)) return this.#join(node);
    const alias = node.Alias;
    const table = node['Relation Name'];
    if (table === undefined || alias === undefined) {
      const [child] = inputsOf(node);
      if (SAME_ROWS.has(type) && child !== undefined && alias === undefined) return this.#partsOf(child);
      const isSure = KNOWN.has(type) && this.#count(node) !== 'many';
      return { tables: new Map([[alias ?? '', isSure ? 'single' : []]]), equalities: [] };
    }
    const keys = this.#rules.keys.get(qualified(node.Schema, table)) ?? [];
    return { tables: new Map([[alias, keys]]), equalities: conditionsOf(node, ROW_CONDITIONS) };
  }

  #join(node: PlanNode): Parts {
    const [outer, inner] = inputsOf(node).map((input) => this.#partsOf(input));
    const join = node['Join Type'];
    if (outer === undefined || inner === undefined) return UNKNOWN;
    if (join === 'Semi' || join === 'Anti') return outer;
    const own = conditionsOf(node, [...JOIN_CONDITIONS, ...ROW_CONDITIONS]);
    const tables = new Map([...outer.tables, ...inner.tables]);
    if (tables.size < outer.tables.size + inner.tables.size) return UNKNOWN;
    if (join === 'Inner') return { tables, equalities: [...outer.equalities, ...inner.equalities, ...own] };
    if (join !== 'Left' && join !== 'Right') return UNKNOWN;
    const [kept, added] = join === 'Left' ? [outer, inner] : [inner, outer];
    // What is said of the side that may be missing leaves no row of the other one out.
    const ofAdded = [...added.equalities, ...own].filter(({ alias }) => added.tables.has(alias));
    return { tables, equalities: [...kept.equalities, ...ofAdded] };
  }
}

/** Other leaves of a join whose number of rows can be told. */
const KNOWN: ReadonlySet<string> = new Set(['Aggregate', 'CTE Scan', 'Limit', 'Result', 'Subquery Scan']);

interface Parts {
  /** By alias, the unique keys, or that there is one row at most. */
  readonly tables: ReadonlyMap<string, readonly (readonly string[])[] | 'single'>;
  readonly equalities: readonly Equality[];
}

const UNKNOWN: Parts = { tables: new Map([['', []]]), equalities: [] };

/**
 * A table has one row where a key of it is held to values of parameters or of tables that have one row
 * themselves; a join has one where all its tables have.
 */
function isSingle({ tables, equalities }: Parts): boolean {
  const single = new Set<string>();
  for (let before = -1; before < single.size;) {
    before = single.size;
    for (const [alias, keys] of tables) {
      const held = new Set(
        equalities
          .filter((one) => one.alias === alias && one.others.every((other) => single.has(other)))
          .map(({ column }) => column),
      );
      const isHeld = keys === 'single' || keys.some((key) => key.every((column) => held.has(column)));
      if (isHeld) single.add(alias);
    }
  }
  return single.size === tables.size;
}

function conditionsOf(node: PlanNode, names: readonly (keyof PlanConditions)[]): Equality[] {
  return names.flatMap((name) => (node[name] === undefined ? [] : equalitiesOf(node[name])));
}

/** Without what is computed beside: subqueries and common tables. */
export function inputsOf({ Plans: plans = [] }: PlanNode): PlanNode[] {
  return plans.filter((child) => !/^(InitPlan|SubPlan)$/.test(child['Parent Relationship'] ?? ''));
}

/** A condition may take away the only row. */
function filtered(node: PlanNode, count: Count): Count {
  const isFiltered = node.Filter !== undefined || node['One-Time Filter'] !== undefined;
  const mayDrop = isFiltered || node['Run Condition'] !== undefined || node['Node Type'] === 'LockRows';
  return mayDrop ? atMost(count) : count;
}

function atMost(count: Count): Count {
  return count === 'many' ? 'many' : 'optional';
}

const LIMIT = String.raw`limit\s+1(?:\s+offset\s+[$\w]+)?`;
const FETCH = String.raw`fetch\s+(?:first|next)\s+(?:1\s+)?rows?\s+only`;
const LIMIT_ONE = new RegExp(String.raw`\b(?:${LIMIT}|${FETCH})(?:\s+for\s+[\w ]+)?\s*;?\s*$`, 'i');

/**
 * Whether a statement's last words limit it to one row. With a comment, a parameter or another number there
 * it is not known.
 */
export function endsWithLimitOne(text: string): boolean {
  const lastLine = text.trimEnd().split('\n').at(-1)!;
  return !lastLine.includes('--') && LIMIT_ONE.test(text);
}
