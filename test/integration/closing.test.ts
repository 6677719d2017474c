import { expect, test } from 'vitest';
import { runProgram } from '../fixtures/run-program.ts';

test('a process does not end before its database has closed, though a lease is never given back (B14)', async () => {
  const output = await runProgram(`
    const db = await openDatabase({ url: 'sqlite:' + path(), log: 'silent' });
    const lease = await db.acquire();
    await db.close({ timeoutMs: 200 });
    console.log('closed', db.stats().pool.size);`);
  expect(output).toBe('closed 0');
});
