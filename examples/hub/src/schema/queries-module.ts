import { fileURLToPath } from 'node:url';
import { migrate } from '../millpond/migrate.ts';
import type { Database } from '../millpond/index.ts';
import type { GenerateOptions } from '../millpond/queries.ts';

/** The migrations of the service: files for both engines, and for each of them. */
export const MIGRATIONS: string = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * What `src/queries.ts` is made of: every query, prepared by both engines against the schema that the migrations
 * make. In a project of your own this is `millpond generate --migrations migrations --server …`.
 * @param server a PostgreSQL on which a database may be made for this
 */
export function queriesModule(server: string): GenerateOptions {
  const prepare = async (db: Database): Promise<void> => void (await migrate(db, { folder: MIGRATIONS }));
  return {
    sql: fileURLToPath(new URL('../../sql', import.meta.url)),
    out: fileURLToPath(new URL('../queries.ts', import.meta.url)),
    schemas: [
      { dialect: 'sqlite', prepare },
      { dialect: 'postgres', server, prepare },
    ],
    importFrom: './millpond/queries.ts',
  };
}
