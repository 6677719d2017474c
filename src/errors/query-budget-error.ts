import { MillpondError, type ErrorCode } from './millpond-error.ts';

/**
 * A request asked more of its databases than its budget allows. What it did is done: this is for developers.
 */
export class QueryBudgetError extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_QUERY_BUDGET';
  readonly route: string;

  constructor(route: string, faults: readonly string[]) {
    super(`${route} is over its query budget: ${faults.join('; ')}. Look for a query in a loop.`);
    this.route = route;
  }
}
