import { NO_CHANGES, type Changes } from './changes.ts';
import type { PostgresConnection } from './connection.ts';
import type { Descriptions } from './description.ts';
import type { Plan, PlanCache, TouchedTables } from './plan.ts';

/** What statements touch: asked of the server once for each text, and again when the schema has changed. */
export class TableKnowledge {
  readonly #descriptions: Descriptions;
  readonly #plans: PlanCache;
  /** Goes up when a statement of ours may have changed the schema. */
  #version = 0;
  readonly #learning = new Set<Plan>();

  constructor(descriptions: Descriptions, plans: PlanCache) {
    this.#descriptions = descriptions;
    this.#plans = plans;
  }

  forget(): void {
    this.#version += 1;
    this.#plans.forgetTables();
  }

  /** @returns undefined where the server must be asked first */
  changesOf(plan: Plan): Changes | undefined {
    if (plan.isIdle) return NO_CHANGES;
    if (plan.kind === 'read' && !plan.mayWrite) return NO_CHANGES;
    if (plan.kind === 'other') return 'anything';
    if (plan.tables === undefined) return undefined;
    if (plan.kind === 'read') return 'anything';
    return plan.tables.isComplete ? plan.tables.tablesWritten : 'anything';
  }

  /** Whether asking the server would tell more. */
  isToLearn(plan: Plan): boolean {
    return plan.kind !== 'other' && plan.tables === undefined && !this.#learning.has(plan);
  }

  /** Asks the server. Where it cannot say, the statement touches nothing that can be named. */
  async learn(connection: PostgresConnection, plan: Plan): Promise<void> {
    const version = this.#version;
    this.#learning.add(plan);
    const tables = await this.#descriptions.touched(connection, plan).catch(() => UNKNOWN);
    this.#learning.delete(plan);
    if (version === this.#version) plan.tables = tables;
  }
}

/** For a statement that cannot be described: it cannot be run either, and its own error says why. */
const UNKNOWN: TouchedTables = Object.freeze({
  tablesRead: [],
  tablesWritten: [],
  isComplete: false,
  callsVolatile: true,
});
