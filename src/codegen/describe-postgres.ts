import { qualified, quoteIdent, type PlanNode } from './plan-facts.ts';
import { endsWithLimitOne, PlanRows } from './plan-rows.ts';
import { namedParts } from './plan-parts.ts';
import { readAssignments } from './postgres-assignments.ts';
import { OutputNullability, type PlanRules } from './postgres-plan.ts';
import { postgresType } from './postgres-types.ts';
import type { RowCount, ShapeReader, ShapeSource, StatementShape, ValueShape } from './query-shape.ts';

const EXPLAINED = 'millpond_described';
const NOT_NULL_COLUMNS = `select a.attrelid::regclass::text || '.' || quote_ident(a.attname) as name
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where a.attnotnull and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')
    and n.nspname not in ('pg_catalog', 'information_schema')
    and not exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n'
      and not k.convalidated and a.attnum = any (k.conkey))`;
const JSON_COLUMNS = `select a.attrelid::regclass::text || '.' || quote_ident(a.attname) as name
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where a.atttypid = 'jsonb'::regtype and a.attnum > 0 and n.nspname <> 'pg_catalog'`;
const COLUMN_ORDER = `select a.attrelid::regclass::text as relation, a.attnotnull as "isNotNull"
  from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attnum > 0 and c.relkind in ('r', 'p')
  order by a.attrelid, a.attnum`;

/**
 * For whole rows, and checked at once. Where a collation finds different texts equal, one of a query's own,
 * which no plan shows, may find several rows for a text: then no key of texts counts.
 */
const UNIQUE_KEYS = `select i.indrelid::regclass::text as relation, array(select quote_ident(a.attname)
    from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any (k.columns)) as columns
  from pg_index i join pg_class c on c.oid = i.indrelid,
    lateral (select (i.indkey::int2[])[0:i.indnkeyatts - 1] as columns) k
  where i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
    and c.relkind in ('r', 'p') and not (exists (select from pg_collation where not collisdeterministic)
      and exists (select from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any (k.columns)
        and a.attcollation <> 0))
  order by i.indexrelid`;
/**
 * Bits of tgtype: FOR EACH ROW is 1, BEFORE is 2. A partition has triggers of its own; a foreign table may
 * have anything.
 */
const PLAIN_TABLES = `select c.oid::regclass::text as relation from pg_class c where c.relkind = 'r'
    and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgtype & 3 = 3)`;

const VERSION = "select current_setting('server_version_num')::int as version";

interface Catalog extends PlanRules {
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
    const output = plan === undefined ? undefined : new OutputNullability(plan, catalog);
    const stored = plan === undefined ? new Set<number>() : nullableParameters(plan, catalog, text);
    return {
      writes,
      tablesRead,
      tablesWritten,
      rows: columns.length === 0 ? 'none' : this.#rows(text, plan, catalog),
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

  #rows(text: string, plan: PlanNode | undefined, { rules }: Catalog): RowCount {
    if (plan === undefined) return 'many';
    return new PlanRows(rules, endsWithLimitOne(text), namedParts(plan)).count(plan);
  }

  /** Undefined where the server cannot explain the statement, or a rule makes several of it. */
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
      const plans = results[2]?.rows[0]?.['QUERY PLAN'];
      return plans?.length === 1 ? plans[0]!.Plan : undefined;
    } catch {
      // It was described, so it is right: only its plan is not to be had, and without it nothing is promised.
      return undefined;
    }
  }

  async #readCatalog(): Promise<Catalog> {
    const notNull = await this.#source.all<{ name: string }>(NOT_NULL_COLUMNS);
    const order = await this.#source.all<{ relation: string; isNotNull: boolean }>(COLUMN_ORDER);
    const keys = await this.#source.all<{ relation: string; columns: readonly string[] }>(UNIQUE_KEYS);
    const json = await this.#source.all<{ name: string }>(JSON_COLUMNS);
    const plain = await this.#source.all<{ relation: string }>(PLAIN_TABLES);
    const [server] = await this.#source.all<{ version: number }>(VERSION);
    return {
      tellsSubqueries: server!.version >= 170_000,
      notNull: new Set(notNull.map(({ name }) => name)),
      json: new Set(json.map(({ name }) => name)),
      columns: grouped(order.map(({ relation, isNotNull }) => [relation, isNotNull])),
      rules: {
        keys: grouped(keys.map(({ relation, columns }) => [relation, columns])),
        plainTables: new Set(plain.map(({ relation }) => relation)),
      },
    };
  }
}

function grouped<T>(pairs: readonly (readonly [key: string, value: T])[]): ReadonlyMap<string, readonly T[]> {
  const all = new Map<string, T[]>();
  for (const [key, value] of pairs) {
    const known = all.get(key);
    if (known === undefined) all.set(key, [value]);
    else known.push(value);
  }
  return all;
}

/** The parameters that are written into columns that may be NULL. */
function nullableParameters(
  plan: PlanNode,
  { columns, notNull: declared }: Catalog,
  text: string,
): ReadonlySet<number> {
  const nullable = new Set<number>();
  const notNull = new Set<number>();
  const assigned = readAssignments(text);
  visit(plan, (node) => {
    if (node['Node Type'] !== 'ModifyTable') return;
    if (assigned !== undefined && assigned.table === node['Relation Name']) {
      const table = qualified(node.Schema, assigned.table);
      for (const [number, column] of assigned.columns)
        (declared.has(`${table}.${quoteIdent(column)}`) ? notNull : nullable).add(number);
    }
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
