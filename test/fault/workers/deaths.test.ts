import { describe, expect, test } from 'vitest';
import { resultOf } from '../../fixtures/run-script.ts';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';

const preload = 'worker-faults.ts';

interface Deaths {
  readonly seed: number;
  readonly deaths: Record<string, number>;
  readonly outcomes: Record<string, number>;
  readonly slowestSettleMs: number;
  readonly slowestRecoveryMs: number;
  readonly broken: string[];
}

describe('a thread that dies', () => {
  test(
    'by exit, throw, rejection or from outside, at random points: all calls settle, the lock is freed (C20, C21, S5)',
    async () => {
      const args = ['--count', String(scaled(25)), '--seed', String(seed)];
      const limitMs = scaledTimeoutMs();
      const script = new URL('scripts/deaths.ts', import.meta.url);
      const result = await resultOf<Deaths>(script, { preload, args, limitMs });
      expect(result.broken, `seed ${result.seed}`).toEqual([]);
      // Otherwise nothing was shown.
      const died = Object.values(result.deaths).reduce((sum, count) => sum + count, 0);
      expect(died).toBeGreaterThan(scaled(8));
      expect(result.outcomes['committed']).toBeGreaterThan(result.outcomes['ConnectionError']!);
      // A second, on a machine that has nothing else to do; with one that is slow there are threads to start.
      expect(result.slowestRecoveryMs).toBeLessThan(10_000);
    },
    scaledTimeoutMs(),
  );

  test('leaves an unknown outcome only where COMMIT had begun, and a retryable error everywhere before (C20)', async () => {
    const { told } = await resultOf<{ told: Record<string, string> }>(
      new URL('scripts/last-moment.ts', import.meta.url),
      { preload },
    );
    const each = (point: string, answer: string): Record<string, string> =>
      Object.fromEntries(['write', 'batch', 'transaction'].map((kind) => [`${kind}, ${point}`, answer]));
    expect(told).toEqual({
      ...each('begin', 'ConnectionError, retryable, not there'),
      ...each('statement', 'ConnectionError, retryable, not there'),
      ...each('before commit', 'OutcomeUnknownError, not there'),
      ...each('after commit', 'OutcomeUnknownError, there'),
      ...each('reply', 'OutcomeUnknownError, there'),
    });
  });
});

test('a COMMIT that is late keeps its connection, one that fails loses it, also with a transaction behind (C20, B1)', async () => {
  const { told } = await resultOf<{ told: unknown }>(new URL('scripts/late-commit.ts', import.meta.url), {
    preload,
  });
  expect(told).toEqual({
    late: {
      outcomes: ['OutcomeUnknownError', 'committed', 'committed'],
      rows: [1, 2, 3],
      replaced: 0,
    },
    failed: {
      outcomes: ['OutcomeUnknownError', 'ConnectionError, retryable', 'committed'],
      rows: [3],
      replaced: 1,
    },
  });
});
