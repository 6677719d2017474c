import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { runScript } from '../fixtures/run-script.ts';
import { scratchPath } from '../fixtures/scratch-database.ts';

const SCRIPT = new URL('scripts/forgetful.ts', import.meta.url);

describe('a process that never closes its database', () => {
  test.each<[program: string, told: unknown, rows: unknown[]]>([
    ['reads and writes', 2, [{ id: 1 }, { id: 2 }]],
    ['does not wait for its last write', 'committed', [{ id: 1 }]],
    ['does not wait for its last transaction', 'committed', [{ id: 1 }, { id: 2 }]],
    ['forgets a transaction, a lease and a stream', 'forgotten', []],
    ['waits for a writer that has to be opened again', 'committed', [{ id: 1 }]],
    ['waits for a writer that nobody gives back', 'TimeoutError', []],
    ['waits to try its transaction again', 'committed', [{ id: 1 }]],
  ])('ends by itself when it is idle, with every answer given: %s (C56)', async (program, told, rows) => {
    const path = scratchPath();
    const { code, lines, stderr } = await runScript(SCRIPT, { args: [path, program] });
    expect(stderr).toBe('');
    expect(lines.at(-1)).toEqual({ told });
    expect(code).toBe(0);
    const file = new DatabaseSync(path);
    expect(file.prepare('select id from row').all()).toEqual(rows);
    expect(file.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
    file.close();
  });
});
