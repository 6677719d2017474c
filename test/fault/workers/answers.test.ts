import { beforeAll, describe, expect, test } from 'vitest';
import { resultOf } from '../../fixtures/run-script.ts';

interface Tally {
  readonly told: Record<string, number>;
  readonly firstAfterMs: number;
}

interface Result {
  readonly commitTakesMs: number;
  readonly delayed: Tally;
  readonly refused: Tally;
  readonly waited: Tally;
  readonly doubtful: Tally;
  readonly after: string;
}

const ALL_COMMITTED = { 'committed, visible': 60 };

/** Sixty writes at once each time, half of them in batches, with RETURNING or as scripts. */
describe('the members of a group are answered', () => {
  let result: Result;
  beforeAll(async () => {
    result = await resultOf<Result>(new URL('scripts/answers.ts', import.meta.url), {
      preload: 'worker-faults.ts',
    });
  });

  test('when COMMIT has returned and not before, however long it takes (C19)', () => {
    expect(result.delayed.told).toEqual(ALL_COMMITTED);
    expect(result.delayed.firstAfterMs).toBeGreaterThanOrEqual(result.commitTakesMs);
  });

  test('after the lock of another process is gone (C19)', () => {
    expect(result.waited.told).toEqual(ALL_COMMITTED);
    expect(result.waited.firstAfterMs).toBeGreaterThanOrEqual(result.commitTakesMs);
  });

  test('with what each of them would get alone when COMMIT is refused (C19)', () => {
    expect(result.refused.told).toEqual(ALL_COMMITTED);
  });

  test('with an unknown outcome, and never with a failure, when COMMIT meets an I/O error (C19)', () => {
    const { told } = result.doubtful;
    expect(told['OutcomeUnknownError, visible']).toBeGreaterThan(1);
    expect(Object.keys(told).sort()).toEqual(['ConnectionError, hidden', 'OutcomeUnknownError, visible']);
    expect(result.after).toBe('committed');
  });
});
