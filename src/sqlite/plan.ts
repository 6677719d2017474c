import { CostModel } from './cost-model.ts';
import type { CallPlace } from './pending-call.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import type { PreparedStatement } from './statement-store.ts';

/** Texts whose analysis is kept. */
const MAX_PLANS = 1_000;

/** What the engine knows of one SQL text: what it does, and what it costs. */
export interface Plan {
  readonly analysis: StatementAnalysis;
  readonly cost: CostModel;
  /** Its statement on the inline reader; only reads that may run there have one. */
  readonly inline: PreparedStatement | undefined;
  /** What its calls share; made with the first. */
  readPlace: CallPlace | undefined;
}

/** The plans by text; the oldest is dropped, and made again when it is needed. */
export class PlanCache {
  readonly #plans = new Map<string, Plan>();

  get(text: string): Plan | undefined {
    return this.#plans.get(text);
  }

  add(text: string, analysis: StatementAnalysis, inline?: PreparedStatement): Plan {
    if (this.#plans.size >= MAX_PLANS) this.#plans.delete(this.#plans.keys().next().value!);
    const usable = canRunInline(analysis) ? inline : undefined;
    const plan: Plan = { analysis, cost: new CostModel(), inline: usable, readPlace: undefined };
    this.#plans.set(text, plan);
    return plan;
  }

  /** Tables of triggers and views are part of an analysis: a changed schema makes them wrong. */
  clear(): void {
    this.#plans.clear();
  }
}

function canRunInline({ writes, inspectsConnection }: StatementAnalysis): boolean {
  // A pragma answers for the connection that it runs on, and the inline one is set up in its own way.
  return !writes && !inspectsConnection;
}
