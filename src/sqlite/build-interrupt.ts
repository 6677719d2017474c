import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interruptLibraryPath } from './interrupt.ts';

const SOURCES = ['interrupt.c', 'sqlite-api.h'].map((name) =>
  fileURLToPath(new URL(`../../native/${name}`, import.meta.url)),
);
// -fvisibility=hidden: the library's copy of `sqlite3_api` must not be taken for another extension's.
const FLAGS = ['-shared', '-fPIC', '-O2', '-fvisibility=hidden'];
const STRICT_FLAGS = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];

export interface InterruptBuild {
  readonly path: string;
  readonly outcome: 'built' | 'up to date' | 'failed';
  /** Why each compiler failed, in a sentence; empty unless all did. */
  readonly failures: readonly string[];
}

/**
 * Builds the interrupt extension with the first C compiler that works: $CC, cc, gcc, clang. millpond also
 * runs without it: a statement past its deadline is then stopped between two of its rows, or its worker is
 * abandoned and replaced.
 *
 * @param isStrict treats compiler warnings as errors; a user's newer compiler may have new ones
 */
export function buildInterruptLibrary({
  isStrict = false,
}: { readonly isStrict?: boolean } = {}): InterruptBuild {
  const path = interruptLibraryPath();
  if (isUpToDate(path)) return { path, outcome: 'up to date', failures: [] };
  const failures = build(path, isStrict);
  return { path, outcome: failures.length === 0 ? 'built' : 'failed', failures };
}

function isUpToDate(path: string): boolean {
  return existsSync(path) && SOURCES.every((source) => statSync(path).mtimeMs >= statSync(source).mtimeMs);
}

function build(path: string, isStrict: boolean): string[] {
  mkdirSync(dirname(path), { recursive: true });
  // Written beside it and renamed: a process that has the old library mapped keeps it intact.
  const draft = `${path}.${process.pid}.tmp`;
  const args = [...FLAGS, ...(isStrict ? STRICT_FLAGS : []), SOURCES[0]!, '-o', draft];
  const failures: string[] = [];
  for (const compiler of new Set([process.env['CC'] ?? 'cc', 'cc', 'gcc', 'clang'])) {
    const failure = compile(compiler, args);
    if (failure === undefined) {
      renameSync(draft, path);
      return [];
    }
    rmSync(draft, { force: true });
    failures.push(`${compiler}: ${failure}`);
  }
  return failures;
}

function compile(compiler: string, args: string[]): string | undefined {
  const { status, error, stderr } = spawnSync(compiler, args, { encoding: 'utf8', timeout: 60_000 });
  if (status === 0) return undefined;
  if (error) return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not found' : error.message;
  return (
    stderr
      .trim()
      .split('\n')
      .find((line) => line.includes('error')) ?? `exit status ${status}`
  );
}
