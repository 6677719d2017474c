import { describe, expect, test } from 'vitest';
import { runProgram } from '../fixtures/run-program.ts';

const OPEN = `
  const db = await openDatabase({
    url: 'sqlite:' + path(), log: 'silent', pool: { max: 1, acquireTimeoutMs: 500 }, cancelGraceMs: 50,
  });
  const tell = (error) => error.constructor.name;`;

/** Each answer is promised by a time, and until then nothing goes on anywhere. */
const WAITS: Record<string, readonly [program: string, told: string]> = {
  'a lease that does not come free': [
    `const lease = await db.acquire({ timeoutMs: 5_000 }); console.log(await db.acquire().catch(tell));`,
    'ConnectionPoolExhaustedError',
  ],
  'a write while a handle holds the writer': [
    `const tx = await db.begin(); console.log(await db.run('create table t (x)', [], { timeoutMs: 400 }).catch(tell));`,
    'TimeoutError',
  ],
  'the pause before a transaction is tried again': [
    `let calls = 0;
     const work = () => { if (++calls === 1) throw Object.assign(new Error('again'), { retryable: true }); return 'done'; };
     console.log(await db.transaction(work, { retry: { attempts: 1, minDelayMs: 400 } }));`,
    'done',
  ],
  'a transaction whose function never ends': [
    `console.log(await db.transaction(() => new Promise(() => {}), { timeoutMs: 400 }).catch(tell));`,
    'TimeoutError',
  ],
  'a callback that never ends': [
    `const work = (tx) => { tx.onRollback(() => new Promise(() => {})); return new Promise(() => {}); };
     console.log(await db.transaction(work, { timeoutMs: 400 }).catch(tell));`,
    'TimeoutError',
  ],
};

describe('a process does not end before the answer that it waits for', () => {
  test.each(Object.entries(WAITS))('%s', async (_, [program, told]) => {
    expect(await runProgram(`${OPEN}\n${program}\nawait db.close({ timeoutMs: 0 });`)).toBe(told);
  });
});

test('a process may end while a handle is open that nobody uses', async () => {
  const startedAt = performance.now();
  expect(await runProgram(`${OPEN} await db.begin({ timeoutMs: 90_000 }); console.log('begun');`)).toBe(
    'begun',
  );
  expect(performance.now() - startedAt).toBeLessThan(60_000);
});
