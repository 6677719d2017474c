import type { ResolvedDatabaseConfig } from '../config/index.ts';
import type { Announcer } from '../events/index.ts';
import type { Readiness } from './readiness.ts';

/** What higher folders need of a database, and its users do not. */
export interface DatabaseServices {
  readonly config: ResolvedDatabaseConfig;
  /** Announces events as the database's own. */
  readonly announce: Announcer;
  readonly readiness: Readiness;
}
