import { beforeEach, describe, expect, test } from 'vitest';
import { CostModel } from './cost-model.ts';

let cost: CostModel;
beforeEach(() => {
  cost = new CostModel();
});

/** Runs in a worker until the statement may run inline. @returns how many it took */
function workUntilCheap(limit = 20_000): number {
  for (let runs = 0; runs < limit; runs += 1) {
    if (cost.weight === 'cheap') return runs;
    cost.recordWorker(10, 1);
  }
  throw new Error('never became cheap');
}

describe('the weight of a statement', () => {
  test('is unknown at first, and cheap after three cheap runs (X2)', () => {
    expect(cost.weight).toBe('unknown');
    cost.recordWorker(10, 1);
    expect(cost.weight).toBe('medium');
    cost.recordWorker(10, 1);
    cost.recordWorker(10, 1);
    expect(cost.weight).toBe('cheap');
  });

  test('stays medium with many rows, or above a tenth of a millisecond', () => {
    for (let run = 0; run < 10; run += 1) cost.recordWorker(10, 100);
    expect(cost.weight).toBe('medium');
    cost = new CostModel();
    for (let run = 0; run < 10; run += 1) cost.recordWorker(500, 1);
    expect(cost.weight).toBe('medium');
  });

  test('is heavy from its first long run on, and light again when runs get short', () => {
    cost.recordWorker(500_000, 1);
    expect(cost.weight).toBe('heavy');
    for (let run = 0; run < 60; run += 1) cost.recordWorker(10, 1);
    expect(cost.weight).toBe('cheap');
  });

  test('is heavy while a run has not ended that should have', () => {
    workUntilCheap();
    cost.recordStall(21_000);
    expect(cost.weight).toBe('heavy');
  });
});

describe('a slow inline run', () => {
  test('sends the statement back to the workers, each time for twice as long', () => {
    workUntilCheap();
    const waits: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      expect(cost.recordInline(1_500, 1)).toBe(true);
      expect(cost.weight).toBe('medium');
      waits.push(workUntilCheap());
    }
    for (const [index, wait] of waits.slice(1).entries()) expect(wait).toBeGreaterThan(waits[index]! * 1.5);
  });

  test('sends it back for 4,096 runs at most', () => {
    workUntilCheap();
    for (let round = 0; round < 30; round += 1) cost.recordInline(1_500, 1);
    expect(workUntilCheap()).toBeLessThanOrEqual(4_200);
  });

  test('is forgiven after many good ones', () => {
    workUntilCheap();
    for (let round = 0; round < 5; round += 1) cost.recordInline(1_500, 1);
    workUntilCheap();
    for (let run = 0; run < 300; run += 1) expect(cost.recordInline(10, 1)).toBe(false);
    cost.recordInline(1_500, 1);
    expect(workUntilCheap()).toBeLessThan(20);
  });

  test('is one with too many rows, too', () => {
    workUntilCheap();
    expect(cost.recordInline(10, 80)).toBe(false);
    expect(cost.recordInline(10, 81)).toBe(true);
  });
});
