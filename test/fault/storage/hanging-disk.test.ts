import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Child, type ChildEnd } from './child.ts';
import { Action, buildShim, Calls, Files, missingShim, shimEnvironment } from './io-shim.ts';
import { Scratch } from './scratch.ts';

interface HangRun {
  readonly told: readonly string[];
  readonly end: ChildEnd;
  readonly rows: readonly unknown[];
}

describe('a disk that does not answer the fsync of a COMMIT', () => {
  const scratch = new Scratch();
  const missing = missingShim();
  beforeAll(() => {
    if (missing === undefined) buildShim(scratch);
  });
  afterAll(() => scratch[Symbol.dispose]());

  test('holds no caller longer than its limit, and only those whose COMMIT had begun are in doubt (C08, C19, B1, B10)', async (context) => {
    context.skip(missing !== undefined, missing);
    const { told, end, rows } = await runOnHangingDisk(scratch, 'lives');
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect([...told].sort()).toEqual(
      [
        'first: ERR_MILLPOND_OUTCOME_UNKNOWN',
        'beside: ERR_MILLPOND_OUTCOME_UNKNOWN',
        'behind: ERR_MILLPOND_TIMEOUT confirmed',
        'transaction: ERR_MILLPOND_POOL_EXHAUSTED',
        'read: done',
        'later: ERR_MILLPOND_TIMEOUT confirmed',
        'read later: done',
        'healed: done',
        'healed transaction: done',
        'held transaction: ERR_MILLPOND_OUTCOME_UNKNOWN',
        'closed: done',
      ].sort(),
    );
    expect(rows).toEqual(['first', 'beside', 'healed', 'healed too', 'held']);
  });

  test('does not keep a database from closing (B14)', async (context) => {
    context.skip(missing !== undefined, missing);
    const { told, end, rows } = await runOnHangingDisk(scratch, 'closes');
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(told.at(-1)).toBe('closed: done');
    expect(rows).toEqual(['first', 'beside']);
  });
});

async function runOnHangingDisk(scratch: Scratch, fate: string): Promise<HangRun> {
  const path = scratch.file(`${fate}.db`);
  const told: string[] = [];
  const fault = { calls: Calls.sync, files: Files.log, skip: 0, times: -1, action: Action.hang };
  const child = new Child('write-to-hanging-disk', [path, fate], {
    env: shimEnvironment(scratch, path, fault),
    onLine: (line) => told.push(line),
  });
  const end = await child.ended;
  using database = new DatabaseSync(path);
  const rows = database.prepare('select who from kept order by rowid').all();
  return { told, end, rows: rows.map(({ who }) => who) };
}
