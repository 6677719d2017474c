import { describe, expect, test } from 'vitest';
import { resultOf } from '../../fixtures/run-script.ts';

interface Measured<T> {
  readonly result: T;
  readonly growthMiB: number;
}

interface Result {
  readonly rows: number;
  readonly streamed: Measured<{ count: number; isWhole: boolean }>;
  readonly slowly: Measured<number>;
  readonly blob: Measured<boolean>;
}

describe('memory', () => {
  test('holds a stream of a million rows, a slow consumer, and one value of 100 MB (C22)', async () => {
    const result = await resultOf<Result>(new URL('scripts/large-results.ts', import.meta.url));
    expect(result.streamed.result).toEqual({ count: result.rows, isWhole: true });
    // The rows themselves, as objects, would take more than 150 MiB.
    expect(result.streamed.growthMiB).toBeLessThan(120);
    expect(result.slowly.result).toBe(19_999);
    expect(result.slowly.growthMiB).toBeLessThan(60);
    // The value as it was bound, on its way, in the file's cache, and on its way back.
    expect(result.blob.result).toBe(true);
    expect(result.blob.growthMiB).toBeLessThan(700);
  });
});
