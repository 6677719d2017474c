import { QueryBudgetError } from '../errors/index.ts';

/** The most that one request may ask of its databases. What is absent has no limit. */
export interface QueryBudget {
  readonly queries?: number | undefined;
  /** Returned and affected together. */
  readonly rows?: number | undefined;
  /** Sum over the statements, waiting included: of statements side by side each counts in full. */
  readonly dbMs?: number | undefined;
}

/** What a request has used so far. */
export interface RequestUsage {
  readonly queries: number;
  readonly rows: number;
  readonly dbMs: number;
  readonly errors: number;
}

/** One request, or job, while it is served. */
export class MeasuredRequest implements RequestUsage {
  /** Under which it is counted; set it when it is known. A pattern (`GET /users/:id`), never an address. */
  route: string;
  /** Counts as an error although the work resolved: a response of 500. @default false */
  failed = false;
  readonly id: string | undefined;
  readonly startedAtMs: number;
  /** Statements by shape, for the search for N+1; few, and mostly the one that was last. */
  repeats: Repeats | undefined;
  /** The last statement that returned several rows: the parent of those that follow one for each row. */
  parent: StatementResult | undefined;
  #queries = 0;
  #rows = 0;
  #dbMs = 0;
  #errors = 0;

  constructor(route: string, id: string | undefined, startedAtMs: number) {
    this.route = route;
    this.id = id;
    this.startedAtMs = startedAtMs;
  }

  get queries(): number {
    return this.#queries;
  }

  get rows(): number {
    return this.#rows;
  }

  get dbMs(): number {
    return this.#dbMs;
  }

  get errors(): number {
    return this.#errors;
  }

  /** A copy: what it has used up to now. */
  get usage(): RequestUsage {
    return { queries: this.#queries, rows: this.#rows, dbMs: this.#dbMs, errors: this.#errors };
  }

  /** A statement that failed before it was sent counts too: it was asked for. */
  queryEnded(durationMs: number, rows: number, failed: boolean): void {
    this.#queries += 1;
    this.#dbMs += durationMs;
    this.#rows += rows;
    if (failed) this.#errors += 1;
  }
}

/** What a statement returned. */
export interface StatementResult {
  readonly text: string;
  readonly rows: number;
}

/** How often one request sent one shape of statement, and from where. The newest of a request comes first. */
export interface Repeats {
  readonly older: Repeats | undefined;
  /** How many shapes the request had with this one. */
  readonly shapes: number;
  /** What is known of the shape, as its identity. */
  readonly of: object;
  count: number;
  /** The list that was read last before the first of them. */
  readonly parent: StatementResult | undefined;
  /** Of the calls after the first; absent where nobody needs to know, or before the second. */
  sites: { readonly stack?: string }[] | undefined;
}

/** What a request used beyond its budget, as a sentence for each limit. */
export function overBudget(usage: RequestUsage, budget: QueryBudget): string[] {
  const faults: string[] = [];
  const { queries = Infinity, rows = Infinity, dbMs = Infinity } = budget;
  if (usage.queries > queries) faults.push(`${usage.queries} queries, at most ${queries}`);
  if (usage.rows > rows) faults.push(`${usage.rows} rows, at most ${rows}`);
  if (usage.dbMs > dbMs) faults.push(`${Math.round(usage.dbMs)} ms in the database, at most ${dbMs}`);
  return faults;
}

/** @throws QueryBudgetError naming the route and every limit that was passed */
export function assertWithinBudget(route: string, usage: RequestUsage, budget: QueryBudget): void {
  const faults = overBudget(usage, budget);
  if (faults.length > 0) throw new QueryBudgetError(route, faults);
}
