import { MillpondError, type ErrorCode } from './millpond-error.ts';

/** One thing that is wrong with the configuration. Never holds a secret. */
export interface ConfigProblem {
  /** The option, as written where it was found: `pool.max`, `DB_POOL_MAX`, `database.sqlite.pool_size`. */
  readonly key: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
  /** Where the value came from: `options`, `environment`, `config/database.yaml:7`. */
  readonly source: string;
}

/** The configuration cannot be used. Lists every fault found, not just the first. */
export class ConfigError extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_CONFIG';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options: { readonly cause?: unknown } = {}) {
    const lines = problems.map(({ key, message, source }) => `  - ${key} (${source}): ${message}`);
    const count = problems.length === 1 ? '1 fault' : `${problems.length} faults`;
    super(`The configuration has ${count}:\n${lines.join('\n')}`, options);
    this.problems = problems;
  }
}
