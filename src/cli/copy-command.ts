import { resolveDatabaseConfig } from '../config/index.ts';
import { openDatabase } from '../database/index.ts';
import { ConfigError } from '../errors/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { copyDatabase } from './copy/copy-database.ts';
import { openSource } from './copy/open-source.ts';
import { startProgress } from './progress.ts';
import { requireDatabase } from './open.ts';
import { textTable } from './text-table.ts';

/** `millpond copy <source> <target>`: a SQLite database into PostgreSQL. */
export async function copyCommand(
  { isTty, signal }: CommandContext,
  source: string,
  target: string,
): Promise<CommandResult> {
  const quiet = { name: false, log: 'silent', healthCheck: { enabled: false }, autoMigrate: false } as const;
  const unhurried = { idleInTransactionTimeoutMs: 0, ...quiet };
  await requireAddress('source', source);
  await requireDatabase({ url: source });
  await requireAddress('target', target);
  await using from = await openSource(source, unhurried);
  await using to = await openDatabase({ url: target, ...unhurried });
  const startedAt = performance.now();
  const bar = await startProgress(isTty, 100, 'Copying');
  try {
    const { tables, warnings } = await copyDatabase(from, to, {
      signal,
      onProgress: ({ table, rowsDone, rows }) =>
        bar.show(Math.floor((100 * rowsDone) / Math.max(1, rows)), table),
    });
    bar.end('Copied');
    const durationMs = Math.round(performance.now() - startedAt);
    const lines = [
      textTable(
        ['table', 'rows', 'checksum'],
        tables.map(({ name, rows, checksum }) => [name, rows, checksum]),
      ),
      '',
      `The same in both, in ${durationMs} ms.`,
      ...warnings.map((warning) => `warning: ${warning}`),
    ];
    return { json: { tables, warnings, durationMs }, text: lines.join('\n') };
  } catch (error) {
    bar.end('Stopped');
    throw error;
  }
}

/** There are two of them: a fault says which one it is in. @throws ConfigError */
async function requireAddress(which: 'source' | 'target', url: string): Promise<void> {
  try {
    await resolveDatabaseConfig({ given: { url, name: false } });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ key, message, source }) =>
      key === 'url' && source === 'options'
        ? { key: which, message, source: 'argument' }
        : { key, message, source },
    );
    throw new ConfigError(problems, { cause: error });
  }
}
