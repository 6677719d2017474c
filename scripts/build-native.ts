/**
 * Builds the interrupt extension with the first C compiler that works: $CC, cc, gcc, clang. Without one,
 * millpond still runs: this prints what is lost and succeeds, unless `--strict` is given. That also takes
 * compiler warnings for errors; a user's newer compiler may know new ones.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interruptLibraryPath } from '../src/sqlite/interrupt.ts';

const SOURCE = fileURLToPath(new URL('../native/interrupt.c', import.meta.url));
const TARGET = interruptLibraryPath();
// -fvisibility=hidden: the library's copy of `sqlite3_api` must not be taken for another extension's.
const FLAGS = ['-shared', '-fPIC', '-O2', '-fvisibility=hidden'];
const STRICT_FLAGS = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];

const strict = process.argv.includes('--strict');

if (isUpToDate()) {
  console.log(`${shown(TARGET)} is up to date`);
} else {
  const failures = build();
  if (failures.length === 0) {
    console.log(`built ${shown(TARGET)}`);
  } else {
    console.error(
      `${shown(TARGET)} was not built (${failures.join('; ')}). millpond works without it: a statement ` +
        'past its deadline is then stopped between two of its rows, or its worker is abandoned and replaced.',
    );
    if (strict) process.exitCode = 1;
  }
}

function isUpToDate(): boolean {
  return existsSync(TARGET) && statSync(TARGET).mtimeMs >= statSync(SOURCE).mtimeMs;
}

/** @returns why each compiler failed; empty when one succeeded. */
function build(): string[] {
  const headers = sqliteHeaders();
  if (!headers) return ['no sqlite3ext.h: it comes with the dev dependency better-sqlite3'];
  mkdirSync(dirname(TARGET), { recursive: true });
  // Written beside and renamed: a process that has the old library mapped keeps it whole.
  const draft = `${TARGET}.${process.pid}.tmp`;
  const args = [...FLAGS, ...(strict ? STRICT_FLAGS : []), '-I', headers, SOURCE, '-o', draft];
  const failures: string[] = [];
  for (const compiler of new Set([process.env.CC || 'cc', 'cc', 'gcc', 'clang'])) {
    const failure = compile(compiler, args);
    if (failure === undefined) {
      renameSync(draft, TARGET);
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

function sqliteHeaders(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('better-sqlite3/package.json');
    return join(dirname(manifest), 'deps', 'sqlite3');
  } catch {
    // Not installed (npm ci --omit=dev): the caller says so.
    return undefined;
  }
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}
