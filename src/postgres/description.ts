import type { ColumnDescription, Statement, StatementDescription } from '../driver/index.ts';
import type { Column } from './columns.ts';
import type { PostgresConnection } from './connection.ts';
import type { StatementShape } from './describe-exchange.ts';
import { tablesOf, type PlanNode, type TouchedTables } from './explained-tables.ts';
import type { Plan } from './plan.ts';

/** Lends a connection for some work. */
type Borrow = <T>(work: (connection: PostgresConnection) => Promise<T>) => Promise<T>;

interface DescriptionHome {
  readonly borrow: Borrow;
  planOf(text: string): Plan;
}

const TYPE_NAMES = 'select oid::int8, format_type(oid, null) from pg_type where oid = any($1::oid[])';
const COLUMN_NAMES = `
  select c.oid::int8, a.attnum, case when pg_table_is_visible(c.oid) then c.relname::text
    else n.nspname || '.' || c.relname end, a.attname::text
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
  where c.oid = any($1::oid[]) and a.attnum > 0`;

/** Described statements that are remembered. */
const MAX_DESCRIPTIONS = 500;
const NOTHING: TouchedTables = Object.freeze({ read: [], written: [] });

/** What statements are, by their text: asked of the server, which runs none of them. */
export class Descriptions {
  readonly #home: DescriptionHome;
  readonly #known = new Map<string, Promise<StatementDescription>>();

  constructor(home: DescriptionHome) {
    this.#home = home;
  }

  /** @throws QueryExecutionError where the server cannot prepare it */
  get(text: string): Promise<StatementDescription> {
    return this.#home.borrow((connection) => this.#describe(connection, text));
  }

  /** As the schema was when it was first asked. */
  remembered(text: string): Promise<StatementDescription> {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_DESCRIPTIONS) this.#known.delete(this.#known.keys().next().value!);
    const asked = this.get(text);
    this.#known.set(text, asked);
    asked.catch(() => this.#known.delete(text));
    return asked;
  }

  /** The schema has changed. */
  forget(): void {
    this.#known.clear();
  }

  async #describe(connection: PostgresConnection, text: string): Promise<StatementDescription> {
    const plan = this.#home.planOf(text);
    const shape = await connection.describeStatement(text);
    const types = await this.#typeNames(connection, shape);
    const touched = await this.#tables(connection, plan, shape);
    return {
      writes: plan.kind !== 'read' || touched.written.length > 0,
      tablesRead: touched.read,
      tablesWritten: touched.written,
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
    { parameterTypes }: StatementShape,
  ): Promise<TouchedTables> {
    if (kind === 'other') return NOTHING;
    const plans = await connection.explain(text, parameterTypes.length);
    if (plans === undefined) return NOTHING;
    const schemas = await ask(connection, { text: 'select unnest(current_schemas(true))::text', params: [] });
    return tablesOf(plans as { Plan: PlanNode }[], new Set(schemas.flat() as string[]));
  }
}

function ask(connection: PostgresConnection, statement: Statement): Promise<unknown[][]> {
  return connection.ask(statement);
}
