import type { ResolvedDatabaseConfig } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import { ConfigError } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';

/** Brings the schema of a database that was just opened to where its configuration wants it. */
export async function prepare(
  db: Database,
  { autoMigrate, migrationsFolder: folder }: ResolvedDatabaseConfig,
): Promise<void> {
  if (!autoMigrate && folder === undefined) return;
  // Loaded only when needed: most processes never migrate.
  const { migrate, requireMigrations } = await import('../migrate/index.ts');
  if (autoMigrate) await migrate(db, { folder });
  else requireMigrations(db, { folder });
}

const NAMES: Readonly<Record<Dialect, string>> = { sqlite: 'SQLite', postgres: 'PostgreSQL' };

/** For the doors of one engine: refuses, with ConfigError, an address that is the other's. */
export function requireDialect(wanted: Dialect): (config: ResolvedDatabaseConfig) => void {
  return ({ dialect, url, sources }) => {
    if (dialect === wanted) return;
    const message = `is "${url}"; allowed: an address of ${NAMES[wanted]}, all that millpond/${wanted} opens`;
    throw new ConfigError([{ key: 'url', message, source: sources['url']! }]);
  };
}
