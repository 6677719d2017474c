import { BoundedTable } from './bounded-table.ts';
import { DurationHistogram, type DurationSummary } from './duration-histogram.ts';
import type { RequestUsage } from './request.ts';

/** One request that ended. */
export interface EndedRequest {
  /** A pattern (`GET /users/:id`) or a function's name, never an address: each has a record of its own. */
  readonly route: string;
  readonly durationMs: number;
  readonly failed: boolean;
  /** Longer ones are counted and announced as `route:slow`. 0 = none. */
  readonly thresholdMs: number;
  readonly usage?: RequestUsage | undefined;
}

/** One route, as pages and exporters show it. */
export interface RouteSnapshot extends DurationSummary {
  readonly route: string;
  readonly errors: number;
  /** From 0 to 1; 1 where nothing has ended yet. */
  readonly successRate: number;
  /** Requests that lasted longer than their threshold. */
  readonly warnings: number;
  /** The threshold of the last request. 0 = none. */
  readonly thresholdMs: number;
  readonly overBudget: number;
  /** Of all its requests together. */
  readonly queries: number;
  readonly rows: number;
  readonly dbMs: number;
}

const LONGEST_ROUTE = 200;

/** Durations, errors and database use of every route; whatever finds no place is `other`. */
export class RouteTable {
  readonly #records: BoundedTable<RouteRecord>;

  constructor(maxRoutes: number) {
    this.#records = new BoundedTable(maxRoutes);
  }

  /** @returns whether it lasted longer than its threshold */
  ended(request: EndedRequest): boolean {
    return this.#of(request.route).ended(request);
  }

  wasOverBudget(route: string): void {
    this.#of(route).wasOverBudget();
  }

  records(): RouteRecord[] {
    return this.#records.all();
  }

  snapshot(): RouteSnapshot[] {
    return this.#records.all().map((record) => record.snapshot());
  }

  clear(): void {
    this.#records.clear();
  }

  #of(route: string): RouteRecord {
    const key = route.slice(0, LONGEST_ROUTE);
    return this.#records.find(key) ?? this.#records.of(key, (made) => new RouteRecord(made));
  }
}

/** What is known of one route. */
export class RouteRecord {
  readonly route: string;
  readonly durations: DurationHistogram = new DurationHistogram();
  #errors = 0;
  #warnings = 0;
  #thresholdMs = 0;
  #overBudget = 0;
  #queries = 0;
  #rows = 0;
  #dbMs = 0;

  constructor(route: string) {
    this.route = route;
  }

  ended({ durationMs, failed, thresholdMs, usage }: EndedRequest): boolean {
    this.durations.record(durationMs);
    this.#thresholdMs = thresholdMs;
    if (failed) this.#errors += 1;
    if (usage !== undefined) {
      this.#queries += usage.queries;
      this.#rows += usage.rows;
      this.#dbMs += usage.dbMs;
    }
    const isSlow = thresholdMs > 0 && durationMs > thresholdMs;
    if (isSlow) this.#warnings += 1;
    return isSlow;
  }

  wasOverBudget(): void {
    this.#overBudget += 1;
  }

  snapshot(): RouteSnapshot {
    const { count } = this.durations;
    return {
      route: this.route,
      ...this.durations.summary(),
      errors: this.#errors,
      successRate: count === 0 ? 1 : (count - this.#errors) / count,
      warnings: this.#warnings,
      thresholdMs: this.#thresholdMs,
      overBudget: this.#overBudget,
      queries: this.#queries,
      rows: this.#rows,
      dbMs: this.#dbMs,
    };
  }
}
