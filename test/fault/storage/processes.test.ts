import { expect, test } from 'vitest';
import { runProcesses } from './processes.ts';
import { seedOfThisRun } from './seed.ts';

test('loses no update between processes, and tells nobody that the file is locked (C14, B5)', async () => {
  const { counts, broken } = await runProcesses({ count: 1_500, seed: seedOfThisRun() });
  expect(broken).toEqual([]);
  expect(counts['increments']).toBeGreaterThan(500);
});
