import { qualified, type PlanNode } from './plan-facts.ts';
import { OutputNullability } from './postgres-plan.ts';
import { postgresType } from './postgres-types.ts';
import type { RowCount, ShapeReader, ShapeSource, StatementShape, ValueShape } from './query-shape.ts';

const EXPLAINED = 'millpond_described';
const NOT_NULL_COLUMNS = `select a.attrelid::regclass::text || '.' || quote_ident(a.attname) as name
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where a.attnotnull and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')
    and n.nspname not in ('pg_catalog', 'information_schema')
    and not exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n'
      and not k.convalidated and a.attnum = any (k.conkey))`;
const COLUMN_ORDER = `select a.attrelid::regclass::text as relation, a.attnotnull as "isNotNull"
  from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attnum > 0 and c.relkind in ('r', 'p')
  order by a.attrelid, a.attnum`;

interface Catalog {
  readonly notNull: ReadonlySet<string>;
  /** By table, for each of its columns in order, dropped ones too: whether it is NOT NULL. */
  readonly columns: ReadonlyMap<string, readonly boolean[]>;
}

/**
 * Describes statements by what the server says of them: the types of columns and parameters, NOT NULL of the
 * columns they come from, and the generic plan, which shows outer joins, expressions and groups as they are
 * run.
 */
export class PostgresShapeReader implements ShapeReader {
  readonly #source: ShapeSource;
  #catalog: Promise<Catalog> | undefined;

  constructor(source: ShapeSource) {
    this.#source = source;
  }

  async shapeOf(text: string): Promise<StatementShape> {
    const { columns, parameters, writes, tablesRead, tablesWritten } = await this.#source.describe(text);
    this.#catalog ??= this.#readCatalog();
    const catalog = await this.#catalog;
    const plan = await this.#explain(text, parameters.length);
    const output = plan === undefined ? undefined : new OutputNullability(plan, catalog.notNull);
    const stored = plan === undefined ? new Set<number>() : nullableParameters(plan, catalog);
    return {
      writes,
      tablesRead,
      tablesWritten,
      rows: rowCount(columns.length, plan),
      columns: columns.map(({ name, type }, index) => ({
        name,
        type: postgresType(type, 'read'),
        nullable: output?.mayBeNull(index) ?? true,
      })),
      parameters: parameters.map(({ type }, index): ValueShape | undefined => {
        const bindable = postgresType(type, 'bound');
        return bindable === 'unknown' ? undefined : { type: bindable, nullable: stored.has(index + 1) };
      }),
    };
  }

  /** Undefined where the server cannot explain the statement. */
  async #explain(text: string, parameters: number): Promise<PlanNode | undefined> {
    const values = parameters === 0 ? '' : `(${Array.from({ length: parameters }, () => 'null').join(', ')})`;
    try {
      const results = await this.#source.batch<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>([
        // With the values at hand the plan would be one for NULL, in which joins and conditions are gone.
        'set local plan_cache_mode = force_generic_plan',
        `prepare ${EXPLAINED} as ${text}`,
        `explain (format json, verbose) execute ${EXPLAINED}${values}`,
        `deallocate ${EXPLAINED}`,
      ]);
      return results[2]?.rows[0]?.['QUERY PLAN'][0]?.Plan;
    } catch {
      // It was described, so it is right: only its plan is not to be had, and without it nothing is promised.
      return undefined;
    }
  }

  async #readCatalog(): Promise<Catalog> {
    const notNull = await this.#source.all<{ name: string }>(NOT_NULL_COLUMNS);
    const order = await this.#source.all<{ relation: string; isNotNull: boolean }>(COLUMN_ORDER);
    const columns = new Map<string, boolean[]>();
    for (const { relation, isNotNull } of order) {
      const known = columns.get(relation);
      if (known === undefined) columns.set(relation, [isNotNull]);
      else known.push(isNotNull);
    }
    return { notNull: new Set(notNull.map(({ name }) => name)), columns };
  }
}

/** An aggregate of everything is one row; a LIMIT or a HAVING above it makes it none. */
function rowCount(columns: number, plan: PlanNode | undefined): RowCount {
  if (columns === 0) return 'none';
  const isWhole =
    plan?.['Node Type'] === 'Aggregate' && plan.Strategy === 'Plain' && plan.Filter === undefined;
  return isWhole ? 'one' : 'many';
}

/** The parameters that are written into columns that may be NULL. */
function nullableParameters(plan: PlanNode, { columns }: Catalog): ReadonlySet<number> {
  const nullable = new Set<number>();
  const notNull = new Set<number>();
  visit(plan, (node) => {
    if (node['Node Type'] !== 'ModifyTable') return;
    const table = columns.get(qualified(node.Schema, node['Relation Name'] ?? '')) ?? [];
    const output = node.Plans?.[0]?.Output ?? [];
    output.forEach((expression, index) => {
      const number = /^\(*\$(\d+)\)*(?:::[\w" ]+)?(?:\(\d+(?:,\s*\d+)?\))?\)*$/.exec(expression)?.[1];
      if (number === undefined) return;
      // An INSERT has all columns in their order; of an UPDATE only the changed ones are there.
      const isRequired = node.Operation === 'Insert' && table[index] === true;
      (isRequired ? notNull : nullable).add(Number(number));
    });
  });
  return new Set([...nullable].filter((number) => !notNull.has(number)));
}

function visit(node: PlanNode, look: (node: PlanNode) => void): void {
  look(node);
  for (const child of node.Plans ?? []) visit(child, look);
}
