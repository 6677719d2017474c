import { describe, expect, it } from 'vitest';
import { CostModel, WayThere } from './cost-model.ts';

describe('the cost of a statement', () => {
  it('is unknown until it has run twice', () => {
    const cost = new CostModel();
    expect(cost.weigh(0, 'read')).toBe('unknown');
    cost.record(100, 1);
    expect(cost.weigh(0, 'read')).toBe('unknown');
    cost.record(100, 1);
    expect(cost.weigh(0, 'read')).toBe('cheap');
  });

  it('is what it takes beyond the way there and back', () => {
    const cost = new CostModel();
    for (let run = 0; run < 3; run += 1) cost.record(31_000, 1);
    expect(cost.weigh(100, 'read')).toBe('heavy');
    expect(cost.weigh(30_000, 'read')).toBe('cheap');
  });

  it('may be a share of a long way, which is never the same twice', () => {
    const cost = new CostModel();
    for (let run = 0; run < 3; run += 1) cost.record(28_000, 1);
    expect([cost.weigh(20_000, 'read'), cost.weigh(24_000, 'read')]).toEqual(['heavy', 'cheap']);
  });

  it('of a write may hold the wait for the disk', () => {
    const cost = new CostModel();
    for (let run = 0; run < 3; run += 1) cost.record(8_000, 1);
    expect([cost.weigh(100, 'read'), cost.weigh(100, 'write')]).toEqual(['heavy', 'cheap']);
  });

  it('is high where it gives many rows', () => {
    const cost = new CostModel();
    for (let run = 0; run < 3; run += 1) cost.record(100, 5_000);
    expect(cost.weigh(0, 'read')).toBe('heavy');
  });

  it('stays high for a while after it held up others, each time longer', () => {
    const cost = new CostModel();
    const runsApart = (): number => {
      cost.recordStall(50_000);
      for (let runs = 0; ; runs += 1) {
        if (cost.weigh(0, 'read') === 'cheap') return runs;
        cost.record(50, 1);
      }
    };
    cost.record(50, 1);
    const first = runsApart();
    runsApart();
    runsApart();
    expect(runsApart()).toBeGreaterThan(first);
    for (let run = 0; run < 300; run += 1) cost.record(50, 1);
    expect(runsApart()).toBe(first);
  });
});

describe('the way there and back', () => {
  it('is the least that anything took, and forgets it slowly', () => {
    const way = new WayThere();
    for (const now of [0.9, 0.3, 0.8]) way.workedMs({ sentAt: 0, answeredAt: 0, now, calls: 1 });
    expect(way.micros).toBeLessThan(310);
    for (let run = 0; run < 5_000; run += 1) way.workedMs({ sentAt: 0, answeredAt: 0, now: 2, calls: 1 });
    expect(way.micros).toBe(2_000);
  });

  it('is not part of what the server did, and no shorter for calls sent as one or one behind another', () => {
    const way = new WayThere();
    way.workedMs({ sentAt: 10, answeredAt: 4, now: 16, calls: 1 });
    const ofMany = way.workedMs({ sentAt: 20, answeredAt: 16, now: 34, calls: 8 });
    const behind = way.workedMs({ sentAt: 21, answeredAt: 34, now: 36, calls: 4 });
    expect([ofMany, behind]).toEqual([expect.closeTo(1, 1), 0.5]);
    expect(way.ms).toBeCloseTo(6, 1);
  });
});
