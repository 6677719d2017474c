import { JOIN_CONDITIONS, requiredColumns, ROW_CONDITIONS } from './plan-conditions.ts';

/** What a node of a plan lets through. */
export interface PlanConditions {
  readonly Filter?: string;
  readonly 'Index Cond'?: string;
  readonly 'Recheck Cond'?: string;
  readonly 'Hash Cond'?: string;
  readonly 'Merge Cond'?: string;
  readonly 'Join Filter'?: string;
}

/** A node of `explain (format json, verbose)`, as far as it is read. */
export interface PlanNode extends PlanConditions {
  readonly 'Node Type': string;
  readonly Operation?: string;
  readonly Strategy?: string;
  readonly 'Join Type'?: string;
  readonly 'Parent Relationship'?: string;
  readonly 'Relation Name'?: string;
  readonly Schema?: string;
  readonly Alias?: string;
  readonly 'Subplan Name'?: string;
  readonly 'CTE Name'?: string;
  readonly 'One-Time Filter'?: string;
  readonly 'Run Condition'?: string;
  readonly 'Conflict Resolution'?: string;
  readonly 'Conflict Filter'?: string;
  readonly Output?: readonly string[];
  readonly 'Group Key'?: readonly string[];
  readonly 'Grouping Sets'?: unknown;
  readonly Plans?: readonly PlanNode[];
}

/** These give the rows of all their inputs, column by column. */
export const UNIONS: ReadonlySet<string> = new Set(['Append', 'Merge Append']);
/** Above these an output bears the name of one of several inputs. */
const MIXING: ReadonlySet<string> = new Set([...UNIONS, 'Recursive Union', 'SetOp']);
/** What reads rows of another part of the plan, under names of its own. */
const READS_PARTS: ReadonlySet<string> = new Set(['CTE Scan', 'Subquery Scan', 'WorkTable Scan']);

/** Where a node stands in the plan. */
interface PlanPlace {
  /** Its rows may be missing: outputs above show NULL for them. */
  readonly isNullable: boolean;
  /** Every row of the plan comes through it. */
  readonly isOnTheWay: boolean;
  /** Outputs above it have other names than its own. */
  readonly isPart: boolean;
}

const AT_TOP: PlanPlace = { isNullable: false, isOnTheWay: true, isPart: false };

/** What the whole plan says of names and expressions in it. */
export class PlanFacts {
  /** Tables by the aliases under which outputs name them; undefined for an alias that is there twice. */
  readonly relations: Map<string, string | undefined> = new Map<string, string | undefined>();
  /** Subqueries and common tables, in the same way. */
  readonly scans: Map<string, PlanNode | undefined> = new Map<string, PlanNode | undefined>();
  /** Aliases on the side of an outer join that may be missing. */
  readonly nullableAliases: Set<string> = new Set<string>();
  /** What is computed on such a side: above the join it is shown as it is, and may be NULL all the same. */
  readonly nullableOutputs: Set<string> = new Set<string>();
  /** True where outputs may be of several inputs. */
  isMixed = false;
  /** True where every aggregate is of a group, which has one row at least. */
  isGrouped = true;
  hasAggregate = false;
  /** True where a table was left out as empty: its columns stand in outputs without its name. */
  hasLeftOut = false;
  /** `alias.column` of what conditions on the way of every row require not to be NULL. */
  readonly requiredColumns: Set<string> = new Set<string>();

  read(node: PlanNode, { isNullable, isOnTheWay, isPart }: PlanPlace = AT_TOP): void {
    const { Alias: alias, Output: output = [], Plans: plans = [] } = node;
    if (!isPart && (MIXING.has(node['Node Type']) || hasSeveralGroups(node))) this.isMixed = true;
    if (node['Node Type'] === 'Aggregate') this.#aggregate(node);
    if (node['One-Time Filter'] !== undefined && plans.length === 0) this.hasLeftOut = true;
    if (alias !== undefined) this.#name(alias, node);
    if (isNullable && alias !== undefined) this.nullableAliases.add(alias);
    if (isNullable) for (const expression of output) this.nullableOutputs.add(bare(expression));
    if (isOnTheWay) this.#require(node);
    const join = node['Join Type'];
    for (const child of plans) {
      const side = child['Parent Relationship'];
      const isMissing = mayBeMissing(join, side);
      const isApart = /^(InitPlan|SubPlan)$/.test(side ?? '');
      // A row that one of its inputs finds need not be found by the others.
      const isChoice = node['Node Type'] === 'BitmapOr';
      const isBeside = isMissing || isApart || isChoice;
      // An UPDATE gives its rows as they are afterwards, whatever was asked of them before.
      const isOther = node['Node Type'] === 'ModifyTable' && node.Operation !== 'Delete';
      this.read(child, {
        isNullable: isNullable || isMissing,
        isOnTheWay: isOnTheWay && !isBeside && !isOther,
        isPart: isPart || isApart || node['Node Type'] === 'Subquery Scan',
      });
    }
  }

  #require(node: PlanNode): void {
    const join = node['Join Type'];
    const isInner = join === 'Inner' || join === 'Semi' || join === 'Right Semi';
    for (const name of isInner ? [...ROW_CONDITIONS, ...JOIN_CONDITIONS] : ROW_CONDITIONS) {
      for (const { alias, column } of requiredColumns(node[name] ?? ''))
        this.requiredColumns.add(`${alias}.${column}`);
    }
  }

  #aggregate(node: PlanNode): void {
    this.hasAggregate = true;
    if (node['Group Key'] === undefined || node.Strategy === 'Plain') this.isGrouped = false;
  }

  #name(alias: string, node: PlanNode): void {
    const name = node['Relation Name'];
    const isTable = name !== undefined && node['Node Type'] !== 'Subquery Scan';
    const table = isTable ? qualified(node.Schema, name) : undefined;
    const known = this.relations.get(alias);
    const isNew = !this.relations.has(alias) || known === table;
    this.relations.set(alias, isNew ? table : undefined);
    if (READS_PARTS.has(node['Node Type'])) this.scans.set(alias, this.scans.has(alias) ? undefined : node);
  }
}

/** In some of its rows the columns of other groupings are NULL. */
export function hasSeveralGroups(node: PlanNode): boolean {
  return node['Grouping Sets'] !== undefined || node.Strategy === 'Mixed';
}

/**
 * An anti-join keeps the rows of one side for which the other has none. The server also makes one of a LEFT
 * JOIN whose other side is to be NULL, and shows the columns of that side above it.
 */
function mayBeMissing(join: string | undefined, side: string | undefined): boolean {
  const inner = join === 'Full' || join === 'Left' || join === 'Anti';
  const outer = join === 'Full' || join === 'Right' || join === 'Right Anti';
  return (inner && side === 'Inner') || (outer && side === 'Outer');
}

/** A table as `regclass` writes it: without the schema where that is searched. */
export function qualified(schema: string | undefined, name: string): string {
  return schema === undefined || schema === 'public'
    ? quoteIdent(name)
    : `${quoteIdent(schema)}.${quoteIdent(name)}`;
}

/** As the server quotes names in outputs and in `regclass`. */
export function quoteIdent(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Without the parentheses around all of it. */
export function bare(expression: string): string {
  let text = expression.trim();
  while (text.startsWith('(') && closes(text) === text.length - 1) text = text.slice(1, -1).trim();
  return text;
}

/** Where the parenthesis at the beginning is closed. */
function closes(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === "'" || character === '"') {
      at = text.indexOf(character, at + 1);
      if (at === -1) return -1;
    } else if (character === '(') depth += 1;
    else if (character === ')' && (depth -= 1) === 0) return at;
  }
  return -1;
}
