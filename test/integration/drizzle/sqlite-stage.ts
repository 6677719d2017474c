import { drizzle } from '../../../src/drizzle/index.ts';
import { scratchForAll } from '../../fixtures/scratch-database.ts';
import type { Stage } from './drizzle-stage.ts';
import { DDL, memberships, posts, schema, users } from './sqlite-schema.ts';

export function openSqliteStage(): Stage {
  const scratch = scratchForAll(DDL);
  return {
    get db() {
      return scratch.db;
    },
    get orm() {
      return drizzle(scratch.db, { schema });
    },
    schema: { users, posts, memberships },
  };
}
