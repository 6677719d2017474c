import { expect, test } from 'vitest';
import { killAtPoints } from './kill-points.ts';
import { killWriters } from './kill.ts';
import { missingShim } from './io-shim.ts';
import { seedOfThisRun } from './seed.ts';

test('loses no acknowledged write, and leaves none in part, when the process is killed (C01, B2)', async () => {
  const { counts, broken } = await killWriters({ count: 15, seed: seedOfThisRun() });
  expect(broken).toEqual([]);
  expect(counts['kills']).toBe(15);
  expect(counts['committed'], 'writes were acknowledged before the kills').toBeGreaterThan(15);
});

test('loses none when it is killed at a chosen call of a commit, a checkpoint or a close (C02, B1, B2)', async (context) => {
  context.skip(missingShim() !== undefined, missingShim());
  const { counts, broken } = await killAtPoints({ count: 14, seed: seedOfThisRun() });
  expect(broken).toEqual([]);
  expect(counts['kills'], 'most points were reached').toBeGreaterThan(10);
  expect(counts['committed']).toBeGreaterThan(0);
});
