import { expect, test } from 'vitest';
import { failSyncs, failWrites } from './failing-disk.ts';
import { missingShim } from './io-shim.ts';
import { seedOfThisRun } from './seed.ts';

test('calls a commit unknown whose fsync failed, never undone; goes on after one, stops after two (C08, B1, B19)', async (context) => {
  context.skip(missingShim() !== undefined, missingShim());
  const { counts, broken } = await failSyncs({ count: 9, seed: seedOfThisRun() });
  expect(broken).toEqual([]);
  expect(counts['unknown'], 'commits met the fault').toBeGreaterThan(0);
  expect(counts['runsStoppedForGood'], 'faults without end stopped writes').toBeGreaterThan(0);
});

test('tells the truth about every write when the log cannot be written (C07, B1)', async (context) => {
  context.skip(missingShim() !== undefined, missingShim());
  const { counts, broken } = await failWrites({ count: 10, seed: seedOfThisRun() });
  expect(broken).toEqual([]);
  expect(counts['ERR_MILLPOND_FULL'], 'writes found no space').toBeGreaterThan(0);
  expect(counts['committed']).toBeGreaterThan(0);
});
