import { expect, test } from 'vitest';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { runProcesses } from './processes.ts';

test(
  'loses no update between processes, and tells nobody that the file is locked (C14, B5)',
  async () => {
    const { counts, broken } = await runProcesses({ count: scaled(900), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['increments']).toBeGreaterThan(300);
  },
  scaledTimeoutMs(),
);
