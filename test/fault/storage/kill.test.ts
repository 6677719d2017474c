import { expect, test } from 'vitest';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { killAtPoints } from './kill-points.ts';
import { killWriters } from './kill.ts';
import { missingShim } from './io-shim.ts';

test(
  'loses no acknowledged write, and leaves none in part, when the process is killed (C01, B2)',
  async () => {
    const { counts, broken } = await killWriters({ count: scaled(10), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['kills']).toBe(scaled(10));
    expect(counts['committed'], 'writes were acknowledged before the kills').toBeGreaterThan(10);
  },
  scaledTimeoutMs(),
);

test(
  'loses none when it is killed at a chosen call of a commit, a checkpoint or a close (C02, B1, B2)',
  async (context) => {
    context.skip(missingShim() !== undefined, missingShim());
    const { counts, broken } = await killAtPoints({ count: scaled(10), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['kills'], 'most points were reached').toBeGreaterThan(6);
    expect(counts['committed']).toBeGreaterThan(0);
  },
  scaledTimeoutMs(),
);
