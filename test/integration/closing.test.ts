import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { scratchPath } from '../fixtures/scratch-database.ts';

const ENTRANCE = new URL('../../src/index.ts', import.meta.url).href;

/** Runs a program that has the library at hand. @returns what it printed */
async function run(program: string): Promise<string> {
  const path = `${scratchPath()}.mjs`;
  writeFileSync(path, `import { openDatabase } from '${ENTRANCE}';\n${program}`);
  const { stdout } = await promisify(execFile)(process.execPath, [path]);
  return stdout.trim();
}

test('a process does not end before its database has closed, though a lease is never given back (B14)', async () => {
  const output = await run(`
    const db = await openDatabase({ url: 'sqlite:${scratchPath()}', log: 'silent' });
    const lease = await db.acquire();
    await db.close({ timeoutMs: 200 });
    console.log('closed', db.stats().pool.size);`);
  expect(output).toBe('closed 0');
});
