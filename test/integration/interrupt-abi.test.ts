import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** The header of SQLite itself; the driver that the benchmarks compare with brings one. */
const HEADERS = join(
  dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')),
  'deps',
  'sqlite3',
);
const OURS = new URL('../../native/sqlite-api.h', import.meta.url);
/** SQLite's name in the table, where it is not that of the function. */
const NAMES: Record<string, string> = { interrupt: 'interruptx' };

test('the positions in native/sqlite-api.h are those of SQLite (X3)', () => {
  const positions = [...readFileSync(OURS, 'utf8').matchAll(/#define MILLPOND_(\w+) (\d+)/g)];
  expect(positions).toHaveLength(13);
  const constants = [...readFileSync(OURS, 'utf8').matchAll(/#define (SQLITE_\w+) (\w+)/g)];
  expect(constants).toHaveLength(6);
  const folder = mkdtempSync(join(tmpdir(), 'millpond-abi-'));
  try {
    const checks = positions.map(([, upper, position]) => {
      const name = upper!.toLowerCase();
      const place = `offsetof(sqlite3_api_routines, ${NAMES[name] ?? name})`;
      return `_Static_assert(${place} == ${position} * sizeof(void *), "${name}");`;
    });
    const values = constants.map(([, name, value]) => `_Static_assert(${name} == ${value}, "${name}");`);
    const source = ['#include <stddef.h>', '#include "sqlite3ext.h"', ...checks, ...values].join('\n');
    writeFileSync(join(folder, 'abi.c'), source);
    const { status, stderr } = spawnSync('cc', ['-fsyntax-only', '-I', HEADERS, join(folder, 'abi.c')], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
