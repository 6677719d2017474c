import { expect, test } from 'vitest';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { failSyncs, failWrites } from './failing-disk.ts';
import { missingShim } from './io-shim.ts';

test(
  'calls a commit unknown whose fsync failed, never undone; goes on after one, stops after two (C08, B1, B19)',
  async (context) => {
    context.skip(missingShim() !== undefined, missingShim());
    const { counts, broken } = await failSyncs({ count: scaled(6), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['unknown'], 'commits met the fault').toBeGreaterThan(0);
    expect(counts['runsStoppedForGood'], 'faults without end stopped writes').toBeGreaterThan(0);
  },
  scaledTimeoutMs(),
);

test(
  'tells the truth about every write when the log cannot be written (C07, B1)',
  async (context) => {
    context.skip(missingShim() !== undefined, missingShim());
    const { counts, broken } = await failWrites({ count: scaled(7), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['ERR_MILLPOND_FULL'], 'writes found no space').toBeGreaterThan(0);
    expect(counts['committed']).toBeGreaterThan(0);
  },
  scaledTimeoutMs(),
);
