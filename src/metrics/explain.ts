import type { Dialect } from '../sql/index.ts';
import { fingerprintOf } from './fingerprint.ts';
import { adviseOnPlan, type PlanAdvice } from './plan-advice.ts';
import { withoutSubqueries, withUnknownValues } from './unknown-values.ts';

/** How the engine would run a statement. Nothing was run for it. */
export interface StatementPlan {
  /** As the engine writes it, indented by depth. */
  readonly lines: readonly string[];
  readonly advice: readonly PlanAdvice[];
}

/** What is asked of the database whose statement is explained; `Database` has it. */
export interface ExplainingDatabase {
  readonly dialect: Dialect;
  all<Row>(text: string, params: readonly unknown[], options: ExplainOptions): Promise<Row[]>;
  describe(text: string): Promise<{ readonly parameters: readonly { readonly type: string | undefined }[] }>;
}

interface ExplainOptions {
  readonly timeoutMs: number;
  readonly name: string;
}

interface SqliteStep {
  readonly id: number;
  readonly parent: number;
  readonly detail: string;
}

const OPTIONS: ExplainOptions = { timeoutMs: 5_000, name: 'explain' };

/**
 * Asks the engine for a statement's plan, with no values: those of the application are not kept.
 * @throws QueryExecutionError where the statement does not fit the schema any more
 */
export async function explainStatement(database: ExplainingDatabase, text: string): Promise<StatementPlan> {
  const lines =
    database.dialect === 'sqlite' ? await sqlitePlan(database, text) : await postgresPlan(database, text);
  const statement = fingerprintOf(text, database.dialect).text;
  return {
    lines,
    advice: adviseOnPlan(
      lines.map((line) => line.trim()),
      statement,
      database.dialect,
    ),
  };
}

async function sqlitePlan(database: ExplainingDatabase, text: string): Promise<string[]> {
  const { parameters } = await database.describe(text);
  const values = parameters.map(() => null);
  const steps = await database.all<SqliteStep>(`explain query plan ${text}`, values, OPTIONS);
  const depths = new Map<number, number>([[0, -1]]);
  return steps.map(({ id, parent, detail }) => {
    const depth = (depths.get(parent) ?? -1) + 1;
    depths.set(id, depth);
    return '  '.repeat(depth) + detail;
  });
}

async function postgresPlan(database: ExplainingDatabase, text: string): Promise<string[]> {
  const { parameters } = await database.describe(text);
  const asked = withUnknownValues(
    text,
    parameters.map(({ type }) => type),
  );
  const rows = await database.all<{ readonly 'QUERY PLAN': string }>(`explain ${asked}`, [], OPTIONS);
  return withoutSubqueries(rows.map((row) => row['QUERY PLAN']));
}
