import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerFolder, UNPRIVILEGED } from '../src/arena/server-folder.ts';

function messageOf(action: () => void): string {
  try {
    action();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Entered by its owner alone, as a home directory often is. */
const closed = mkdtempSync(join(tmpdir(), 'hub-closed-'));
const native = join(closed, 'native');

beforeAll(() => {
  mkdirSync(join(native, 'bin'), { recursive: true });
  const program = join(native, 'bin', 'postgres');
  writeFileSync(program, '#!/bin/sh\necho "$1" >said && cat said\n');
  chmodSync(program, 0o755);
});
afterAll(() => rmSync(closed, { recursive: true }));

describe("the server's folder", () => {
  it('can be written, and its programs run, by the user of the server, in a closed directory too', () => {
    const folder = createServerFolder(join(closed, 'data', 'postgres'), native);
    try {
      const options = { ...UNPRIVILEGED, cwd: folder.path, encoding: 'utf8' } as const;
      const { stdout } = spawnSync(join(folder.programs, 'postgres'), ['hello'], options);
      expect(stdout).toBe('hello\n');
      // What stands between us and the server removes it without us where we are killed.
      spawnSync('rm', ['-rf', folder.path], { ...UNPRIVILEGED, cwd: '/' });
      expect(existsSync(folder.programs)).toBe(false);
    } finally {
      folder[Symbol.dispose]();
    }
    expect(existsSync(folder.path)).toBe(false);
  });

  it('is removed when its programs are not there', () => {
    const wanted = join(closed, 'data', 'missing');
    // Programs are copied only where the server must run as another user than we do.
    const refusal = UNPRIVILEGED.uid === undefined ? '' : 'cannot be copied: .*nowhere';
    expect(messageOf(() => createServerFolder(wanted, join(closed, 'nowhere'))[Symbol.dispose]())).toMatch(
      new RegExp(refusal, 'v'),
    );
    expect(existsSync(wanted)).toBe(false);
  });
});
