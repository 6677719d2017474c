import type { StatementTables } from '../driver/index.ts';
import { changesOf, type Changes } from './changes.ts';
import { CostModel } from './cost-model.ts';
import { isBusy } from './failure.ts';
import type { CallPlace } from './pending-call.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import type { PreparedStatement } from './statement-store.ts';

/** Texts whose analysis is kept. */
const MAX_PLANS = 1_000;

/** What the engine knows of one SQL text: what it does, and what it costs. */
export interface Plan {
  readonly analysis: StatementAnalysis;
  /** What those who listen are told of it. */
  readonly tables: StatementTables;
  readonly cost: CostModel;
  /** Its statement on the inline reader; only reads that may run there have one. */
  readonly inline: PreparedStatement | undefined;
  /** What its calls share; made with the first. */
  readPlace: CallPlace | undefined;
  writePlace: CallPlace | undefined;
}

export interface PlannerParts {
  /** Prepares on the calling thread; undefined where no connection is there. */
  prepare(text: string): PreparedStatement | undefined;
  /** Has the connection of the calling thread look at the schema. @returns whether it may have changed */
  refreshSchema(): boolean;
  /** Whether reads may run on the calling thread. */
  readonly inlineReads: boolean;
}

/** The plans by text; the oldest is dropped, and made again when it is needed. */
export class Planner {
  readonly #parts: PlannerParts;
  readonly #plans = new Map<string, Plan>();

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  /** @returns undefined where no connection of this thread can tell. @throws what SQLite says of the text */
  plan(text: string): Plan | undefined {
    const known = this.#plans.get(text);
    if (known !== undefined) return known;
    const statement = this.prepare(text);
    if (statement === undefined) return undefined;
    return this.add(text, statement.analysis, this.#parts.inlineReads ? statement : undefined);
  }

  add(text: string, analysis: StatementAnalysis, inline?: PreparedStatement): Plan {
    const known = this.#plans.get(text);
    if (known !== undefined) return known;
    if (this.#plans.size >= MAX_PLANS) this.#plans.delete(this.#plans.keys().next().value!);
    const plan: Plan = {
      analysis,
      tables: analysis.readsUnnamed ? { ...analysis, tablesRead: undefined } : analysis,
      cost: new CostModel(),
      inline: canRunInline(analysis) ? inline : undefined,
      readPlace: undefined,
      writePlace: undefined,
    };
    this.#plans.set(text, plan);
    return plan;
  }

  /** @returns undefined where the file is locked, or there is no connection on this thread. */
  prepare(text: string): PreparedStatement | undefined {
    try {
      return this.#parts.prepare(text);
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  /** The same, but undefined for a text that cannot be prepared here, or not yet. */
  tryPlan(text: string): Plan | undefined {
    try {
      return this.plan(text);
    } catch {
      return undefined;
    }
  }

  /** A text that nobody has analyzed may change anything. */
  changesOf(text: string): Changes {
    return changesOf(this.#plans.get(text)?.analysis);
  }

  /** Only if they are known already. */
  tablesOf(text: string): StatementTables | undefined {
    return this.#plans.get(text)?.tables;
  }

  /**
   * To be called when the schema may have changed: tables of triggers and views are part of an analysis, and
   * another schema makes them wrong.
   */
  refresh(): void {
    if (this.#parts.refreshSchema()) this.#plans.clear();
  }
}

function canRunInline({ writes, inspectsConnection }: StatementAnalysis): boolean {
  // A pragma answers for the connection that it runs on, and the inline one is set up differently.
  return !writes && !inspectsConnection;
}
