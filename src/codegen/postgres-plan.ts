import { PlanFacts, type PlanNode } from './plan-facts.ts';
import { ExpressionReader, type ColumnRules } from './postgres-expression.ts';

/**
 * Says of the columns of a plan which may be NULL. Everything that is not known to be otherwise may.
 * https://www.postgresql.org/docs/current/using-explain.html
 */
export class OutputNullability {
  readonly #output: readonly string[];
  readonly #reader: ExpressionReader | undefined;

  constructor(plan: PlanNode, catalog: ColumnRules) {
    this.#output = plan.Output ?? [];
    const facts = new PlanFacts();
    facts.read(plan, false);
    if (!facts.isMixed) this.#reader = new ExpressionReader(facts, catalog);
  }

  mayBeNull(index: number): boolean {
    const expression = this.#output[index];
    if (expression === undefined || this.#reader === undefined) return true;
    return !this.#reader.isNotNull(expression);
  }
}
