import { expect, test } from 'vitest';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { fillDisk } from './full-disk.ts';
import { SmallDisk } from './small-disk.ts';

test(
  'refuses only what does not fit on a full disk, and goes on without a restart when there is space (C06, B1, B12)',
  async (context) => {
    context.skip(SmallDisk.missing() !== undefined, SmallDisk.missing());
    const { counts, broken } = await fillDisk({ count: scaled(2), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['ERR_MILLPOND_FULL'], 'writes found no space').toBeGreaterThan(100);
    expect(counts['committed']).toBeGreaterThan(2 * 32);
    expect(counts['slowestRecoveryMs']).toBeLessThan(9_000);
    expect(liveWorkers()).toEqual([]);
  },
  scaledTimeoutMs(),
);
