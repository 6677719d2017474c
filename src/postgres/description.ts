import type { ColumnDescription, Statement, StatementDescription } from '../driver/index.ts';
import type { Column } from './columns.ts';
import type { PostgresConnection } from './connection.ts';
import type { StatementShape } from './describe-exchange.ts';
import { explainedTables, type PlanNode } from './explained-tables.ts';
import type { Plan, TouchedTables } from './plan.ts';

/** Lends a connection for some work. */
type Borrow = <T>(work: (connection: PostgresConnection) => Promise<T>) => Promise<T>;

interface DescriptionEnvironment {
  readonly borrow: Borrow;
  planOf(text: string): Plan;
}

const TYPE_NAMES = 'select oid::int8, format_type(oid, null) from pg_type where oid = any($1::oid[])';
const COLUMN_NAMES = `
  select c.oid::int8, a.attnum, case when pg_table_is_visible(c.oid) then c.relname::text
    else n.nspname || '.' || c.relname end, a.attname::text
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
  where c.oid = any($1::oid[]) and a.attnum > 0`;

/**
 * The tables by their names, those to which foreign keys pass a change on, and whether a user's trigger may
 * write elsewhere. A table that is not found without its schema is named with it.
 */
const TOUCHED_TABLES = `
  with recursive named as (
    select c.oid, t.kind from unnest($1::text[], $2::text[], $3::text[]) t (schema, name, kind)
    join pg_namespace n on n.nspname = t.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = t.name
  ), touched as (
    select oid, kind from named
    union
    select f.conrelid, 'changed' from touched t join pg_constraint f on f.confrelid = t.oid
    where t.kind = 'changed' and f.contype = 'f'
      and (f.confdeltype in ('c', 'n', 'd') or f.confupdtype in ('c', 'n', 'd'))
  )
  select t.kind, case when pg_table_is_visible(c.oid) then c.relname::text
      else n.nspname || '.' || c.relname end,
    exists (select 1 from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal)
  from touched t join pg_class c on c.oid = t.oid join pg_namespace n on n.oid = c.relnamespace`;

/**
 * Whether a function of one of these names may change data. One that is stable or immutable may not, which
 * the server enforces for what its body does: https://www.postgresql.org/docs/current/xfunc-volatility.html
 */
const CALLS_VOLATILE =
  "select exists (select 1 from pg_proc where proname = any($1::text[]) and provolatile = 'v')";

type NamedTables = Omit<TouchedTables, 'callsVolatile'> & { readonly tablesRead: readonly string[] };

const NOTHING: NamedTables = Object.freeze({ tablesRead: [], tablesWritten: [], isComplete: true });

/** What statements are, by their text: asked of the server, which runs none of them. */
export class Descriptions {
  readonly #environment: DescriptionEnvironment;

  constructor(environment: DescriptionEnvironment) {
    this.#environment = environment;
  }

  /** @throws QueryExecutionError where the server cannot prepare it */
  get(text: string): Promise<StatementDescription> {
    const plan = this.#environment.planOf(text);
    return this.#environment.borrow((connection) => this.#describe(connection, plan));
  }

  /** What a statement touches. @throws QueryExecutionError where the server cannot prepare it */
  async touched(connection: PostgresConnection, plan: Plan): Promise<TouchedTables> {
    const { parameterTypes } = await connection.describeStatement(plan.text);
    const tables = await this.#tables(connection, plan, parameterTypes.length);
    return { ...tables, callsVolatile: await this.#callsVolatile(connection, plan) };
  }

  async #callsVolatile(connection: PostgresConnection, { functions }: Plan): Promise<boolean> {
    if (functions === undefined) return true;
    if (functions.length === 0) return false;
    const [[answer] = []] = await ask(connection, { text: CALLS_VOLATILE, params: [functions] });
    return answer !== false;
  }

  async #describe(connection: PostgresConnection, plan: Plan): Promise<StatementDescription> {
    const shape = await connection.describeStatement(plan.text);
    const types = await this.#typeNames(connection, shape);
    const { tablesRead, tablesWritten } = await this.#tables(connection, plan, shape.parameterTypes.length);
    return {
      writes: plan.kind !== 'read' || tablesWritten.length > 0,
      tablesRead,
      tablesWritten,
      columns: await this.#columns(connection, shape.columns, types),
      parameters: shape.parameterTypes.map((typeId) => ({ name: undefined, type: types.get(typeId) })),
    };
  }

  async #typeNames(
    connection: PostgresConnection,
    { parameterTypes, columns }: StatementShape,
  ): Promise<Map<number, string>> {
    const ids = new Set([...parameterTypes, ...columns.map(({ typeId }) => typeId)]);
    if (ids.size === 0) return new Map();
    const rows = await ask(connection, { text: TYPE_NAMES, params: [[...ids]] });
    return new Map(rows as [number, string][]);
  }

  async #columns(
    connection: PostgresConnection,
    columns: readonly Column[],
    types: ReadonlyMap<number, string>,
  ): Promise<ColumnDescription[]> {
    const tableIds = [...new Set(columns.map(({ tableId }) => tableId))].filter((id) => id > 0);
    const rows =
      tableIds.length === 0 ? [] : await ask(connection, { text: COLUMN_NAMES, params: [tableIds] });
    const origins = new Map(
      rows.map(([table, number, ...names]) => [`${String(table)}.${String(number)}`, names]),
    );
    return columns.map(({ name, typeId, tableId, columnNumber }) => {
      const [table, column] = (origins.get(`${tableId}.${columnNumber}`) ?? []) as string[];
      return { name, type: types.get(typeId), table, column };
    });
  }

  async #tables(
    connection: PostgresConnection,
    { kind, text }: Plan,
    parameters: number,
  ): Promise<NamedTables> {
    const explained = kind === 'other' ? undefined : await connection.explain(text, parameters);
    if (explained === undefined) return NOTHING;
    const { read, inserted, changed } = explainedTables(explained as { Plan: PlanNode }[]);
    const kinds = { read, inserted, changed };
    const named = Object.entries(kinds).flatMap(([how, tables]) => tables.map((table) => [...table, how]));
    if (named.length === 0) return NOTHING;
    const params = [0, 1, 2].map((part) => named.map((table) => table[part]));
    const rows = (await ask(connection, { text: TOUCHED_TABLES, params })) as [string, string, boolean][];
    const namesOf = (isWanted: (how: string) => boolean) => [
      ...new Set(rows.filter(([how]) => isWanted(how)).map(([, name]) => name)),
    ];
    return {
      tablesRead: namesOf((how) => how === 'read'),
      tablesWritten: namesOf((how) => how !== 'read'),
      isComplete: rows.every(([how, , hasTrigger]) => how === 'read' || !hasTrigger),
    };
  }
}

function ask(connection: PostgresConnection, statement: Statement): Promise<unknown[][]> {
  return connection.ask(statement);
}
