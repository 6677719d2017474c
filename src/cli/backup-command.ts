import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { openDatabase } from '../database/index.ts';
import { toSqliteUrl } from '../config/index.ts';
import { UsageError } from '../errors/index.ts';
import { ExitCode, type CommandContext, type CommandResult } from './command.ts';
import { requireDatabase, withDatabase } from './open.ts';

/** `millpond backup <file>`: a copy, as the database is at one moment, that was opened and checked. */
export async function backupCommand(
  context: CommandContext,
  target: string,
  { overwrite, check = true }: { readonly overwrite?: boolean; readonly check?: boolean },
): Promise<CommandResult> {
  await requireDatabase(context);
  const folder = dirname(resolve(target));
  if (!existsSync(folder)) throw new UsageError(`There is no folder ${folder} for the copy.`);
  return withDatabase(context, async (db) => {
    const startedAt = performance.now();
    await db.backup(target, { overwrite });
    const { size: bytes } = await stat(target);
    const durationMs = Math.round(performance.now() - startedAt);
    const fault = check ? await faultOf(target) : undefined;
    const checked = check ? (fault ?? 'ok') : 'not checked';
    return {
      json: { file: target, bytes, durationMs, checked },
      text: `${target}: ${bytes} bytes in ${durationMs} ms, ${checked}.`,
      exitCode: fault === undefined ? ExitCode.ok : ExitCode.failed,
    };
  });
}

async function faultOf(path: string): Promise<string | undefined> {
  const answer = await quickCheck(path);
  // A connection that only reads leaves these behind, empty: they do not belong to a copy.
  const log = await stat(`${path}-wal`).catch(() => undefined);
  if (log?.size === 0) for (const end of ['-wal', '-shm']) await rm(`${path}${end}`, { force: true });
  return answer === 'ok' ? undefined : `damaged: ${answer}`;
}

async function quickCheck(path: string): Promise<string | undefined> {
  const quiet = { name: false, log: 'silent', readOnly: true, healthCheck: { enabled: false } } as const;
  await using copy = await openDatabase(toSqliteUrl(path), quiet);
  return copy.value<string>('pragma quick_check(1)', [], { timeoutMs: 0 });
}
