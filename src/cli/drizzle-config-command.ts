import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { resolveDatabaseConfig, type ResolvedDatabaseConfig } from '../config/index.ts';
import { UsageError } from '../errors/index.ts';
import type { CommandContext, CommandResult } from './command.ts';

export interface DrizzleConfigOptions {
  /** Where the tables are declared. @default './src/schema.ts' */
  readonly schema?: string | undefined;
  /** Where drizzle-kit writes migrations, and millpond reads them. @default './migrations' */
  readonly out?: string | undefined;
}

/**
 * The text of a `drizzle.config.ts` for a database: dialect, schema, folder and connection. A password is
 * never part of it: an address that has a login is left to the environment.
 */
export function drizzleConfig(config: ResolvedDatabaseConfig, options: DrizzleConfigOptions = {}): string {
  const { schema = './src/schema.ts', out = './migrations' } = options;
  const dialect = config.dialect === 'sqlite' ? 'sqlite' : 'postgresql';
  return `import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: '${dialect}',
  schema: ${quoted(schema)},
  out: ${quoted(out)},
  dbCredentials: { url: ${connectionString(config)} },
});
`;
}

/** `millpond drizzle-config` */
export async function drizzleConfigCommand(
  { url, name }: CommandContext,
  {
    force,
    file = 'drizzle.config.ts',
    ...options
  }: DrizzleConfigOptions & { force?: boolean; file?: string },
): Promise<CommandResult> {
  const given =
    url === undefined ? ({ name: name ?? false } as const) : ({ name: name ?? false, url } as const);
  const text = drizzleConfig(await resolveDatabaseConfig({ given }), options);
  try {
    await writeFile(file, text, { flag: force === true ? 'w' : 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new UsageError(`There is a ${file} already. Move it, or pass --force to replace it.`, { cause });
  }
  return { json: { file, text }, text: `${file} was written.` };
}

function connectionString(config: ResolvedDatabaseConfig): string {
  const variable =
    config.sources['url']?.startsWith('DATABASE_') === true ? config.sources['url'] : 'DATABASE_URL';
  if (config.dialect === 'postgres') return `process.env['${variable}']!`;
  return quoted(relative(process.cwd(), config.path));
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
