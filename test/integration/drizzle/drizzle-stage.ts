import type { SqliteDrizzle } from '../../../src/drizzle/index.ts';
import type { Database } from '../../../src/index.ts';
import type { Schema } from './sqlite-schema.ts';

/**
 * What the suites run on. The tables and the drizzle object of PostgreSQL are here under SQLite's types: the suites use
 * what both have.
 */
export interface Stage {
  readonly db: Database;
  readonly orm: SqliteDrizzle<Schema>;
  readonly schema: Pick<Schema, 'users' | 'posts' | 'memberships'>;
}

/** Called in a `describe`: registers what opens and closes the stage, and gives what each test uses. */
export type OpenStage = () => Stage;

/** Empties the tables; the users' ids go on from where they were. */
export async function clear({ db }: Stage): Promise<void> {
  await db.batch(['delete from posts', 'delete from memberships', 'delete from users']);
}
