import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * PostgreSQL refuses to run as root. `nobody` exists on every Linux; anyone but root runs it as themselves.
 */
const NOBODY = 65_534;
export const UNPRIVILEGED: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** A folder for a server, with its programs where the server's user can reach them; gone when the scope ends. */
export function createServerFolder(
  wanted: string,
  native: string,
): { readonly path: string; readonly programs: string } & Disposable {
  mkdirSync(dirname(wanted), { recursive: true });
  // A clone in a home directory that is closed to others: the server has to live elsewhere.
  const path = isReachable(dirname(wanted)) ? wanted : mkdtempSync(join(tmpdir(), 'hub-postgres-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  try {
    mkdirSync(path, { recursive: true });
    const programs = isReachable(join(native, 'bin', 'postgres')) ? native : copyInto(path, native);
    if (UNPRIVILEGED.uid !== undefined) chownSync(path, NOBODY, NOBODY);
    return { path, programs: join(programs, 'bin'), [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function isReachable(path: string): boolean {
  if (UNPRIVILEGED.uid === undefined) return true;
  return spawnSync('test', ['-x', path], { ...UNPRIVILEGED, cwd: '/' }).status === 0;
}

function copyInto(folder: string, native: string): string {
  const copy = join(folder, 'native');
  // Owned by the server's user, so that this user can remove it too.
  const { status, stderr } = spawnSync('sh', [
    '-c',
    `cp -R "$1" "$2" && chown -R ${NOBODY}:${NOBODY} "$2"`,
    'copy',
    native,
    copy,
  ]);
  if (status !== 0) throw new Error(`PostgreSQL's programs cannot be copied: ${String(stderr)}`);
  return copy;
}
