import type { ColumnDescription, Statement, StatementDescription } from '../driver/index.ts';
import type { Column } from './columns.ts';
import type { PostgresConnection } from './connection.ts';
import type { StatementShape } from './describe-exchange.ts';
import { explainedTables, type PlanNode } from './explained-tables.ts';
import { unknownFunctions } from './known-functions.ts';
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
 * The tables by their names, and whether a user's trigger may write elsewhere: with those to which foreign
 * keys pass a change on, and with what a table that is read is a partition or a child of, since a plan names
 * the parts of what a write names as a whole. What is below a table that is written is looked at for its
 * triggers and keys, and not named. A table that is not found without its schema is named with it.
 */
const TOUCHED_TABLES = `
  with recursive named as (
    select c.oid, t.kind, true as is_named
    from unnest($1::text[], $2::text[], $3::text[]) t (schema, name, kind)
    join pg_namespace n on n.nspname = t.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = t.name
  ), touched as (
    select oid, kind, is_named from named
    union
    select more.* from touched t, lateral (
      select f.conrelid, 'changed', true from pg_constraint f
      where t.kind = 'changed' and f.contype = 'f' and f.confrelid = t.oid
        and (f.confdeltype in ('c', 'n', 'd') or f.confupdtype in ('c', 'n', 'd'))
      union all
      select i.inhparent, t.kind, true from pg_inherits i where t.kind = 'read' and i.inhrelid = t.oid
      union all
      select i.inhrelid, t.kind, false from pg_inherits i where t.kind <> 'read' and i.inhparent = t.oid
    ) more
  )
  select t.kind, t.is_named, case when pg_table_is_visible(c.oid) then c.relname::text
      else n.nspname || '.' || c.relname end,
    exists (select 1 from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal)
  from touched t join pg_class c on c.oid = t.oid join pg_namespace n on n.oid = c.relnamespace`;

/**
 * Whether a function of one of these names may change data, and whether one may read them. One that is stable
 * or immutable may not change any, and one that is immutable may not read any; the server enforces the first
 * for what its body does: https://www.postgresql.org/docs/current/xfunc-volatility.html
 */
const CALLS = `
  select coalesce(bool_or(provolatile = 'v'), false),
    coalesce(bool_or(
      provolatile = 'v' or provolatile = 's' and pronamespace <> 'pg_catalog'::regnamespace), false)
  from pg_proc where proname = any($1::text[])`;

interface NamedTables extends Omit<TouchedTables, 'callsVolatile'> {
  readonly tablesRead: readonly string[];
  /** As in a plan: also those of views and policies. */
  readonly functions: readonly string[] | undefined;
  /** Nothing is read because of what is known now: there is no partition, or none for these values. */
  readonly isCut: boolean;
}

const NOTHING: NamedTables = {
  tablesRead: [],
  tablesWritten: [],
  isComplete: true,
  functions: [],
  isCut: false,
};
/** How a plan says so. */
const CUT = '"One-Time Filter"';
/** For what the server does not explain. */
const UNEXPLAINED: NamedTables = { ...NOTHING, isComplete: false, functions: undefined };

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
    const { tablesRead, functions, isCut, ...tables } = await this.#tables(
      connection,
      plan,
      parameterTypes.length,
    );
    const named =
      functions === undefined || plan.functions === undefined ? undefined : [...functions, ...plan.functions];
    const [callsVolatile, callsReading] = await this.#calls(connection, named);
    return { ...tables, callsVolatile, tablesRead: callsReading || isCut ? undefined : tablesRead };
  }

  /** @returns whether one of the functions may write, and whether one may read */
  async #calls(
    connection: PostgresConnection,
    functions: readonly string[] | undefined,
  ): Promise<readonly [boolean, boolean]> {
    if (functions === undefined) return [true, true];
    if (functions.length === 0) return [false, false];
    const [[mayWrite, mayRead] = []] = await ask(connection, { text: CALLS, params: [functions] });
    return [mayWrite !== false, mayRead !== false];
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
    if (kind === 'other') return NOTHING;
    const explained = await connection.explain(text, parameters);
    if (explained === undefined) return UNEXPLAINED;
    const expressions = expressionsOf(explained);
    const functions = unknownFunctions(expressions);
    const { read, inserted, changed } = explainedTables(explained as { Plan: PlanNode }[]);
    const kinds = { read, inserted, changed };
    const named = Object.entries(kinds).flatMap(([how, tables]) => tables.map((table) => [...table, how]));
    if (named.length === 0) return { ...NOTHING, functions, isCut: expressions.includes(CUT) };
    const params = [0, 1, 2].map((part) => named.map((table) => table[part]));
    const rows = (await ask(connection, { text: TOUCHED_TABLES, params })) as TouchedRow[];
    const namesOf = (isWanted: (how: string) => boolean) => [
      ...new Set(rows.filter(([how, isNamed]) => isNamed && isWanted(how)).map(([, , name]) => name)),
    ];
    return {
      tablesRead: namesOf((how) => how === 'read'),
      tablesWritten: namesOf((how) => how !== 'read'),
      isComplete: rows.every(([how, , , hasTrigger]) => how === 'read' || !hasTrigger),
      functions,
      isCut: false,
    };
  }
}

/** What may hold a call, with its quoted names as they were. */
function expressionsOf(explained: unknown): string {
  return JSON.stringify(explained).replaceAll(String.raw`\"`, '"');
}

type TouchedRow = [how: string, isNamed: boolean, name: string, hasTrigger: boolean];

function ask(connection: PostgresConnection, statement: Statement): Promise<unknown[][]> {
  return connection.ask(statement);
}
