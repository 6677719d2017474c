import { describe, expect, test } from 'vitest';
import { SlidingWindow } from './sliding-window.ts';
import { fc } from '../../test/fixtures/property.ts';

const POLICY = { limit: 3, windowMs: 100 };

describe('a sliding window', () => {
  test('says how many are left, and when the next place comes free', () => {
    let now = 0;
    const window = new SlidingWindow({ now: () => now });
    expect(window.take('a', POLICY)).toEqual({ allowed: true, remaining: 2, freeInMs: 100 });
    now = 40;
    expect(window.take('a', POLICY)).toEqual({ allowed: true, remaining: 1, freeInMs: 60 });
    expect(window.take('a', POLICY)).toMatchObject({ allowed: true, remaining: 0 });
    expect(window.take('b', POLICY)).toMatchObject({ allowed: true, remaining: 2 });
    now = 99.9;
    expect(window.take('a', POLICY)).toMatchObject({ allowed: false, remaining: 0 });
    now = 100;
    expect(window.take('a', POLICY)).toEqual({ allowed: true, remaining: 0, freeInMs: 40 });
    expect(window.take('a', POLICY)).toEqual({ allowed: false, remaining: 0, freeInMs: 40 });
  });

  test('allows exactly the limit in every stretch of time of its length (C65)', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 8 }), (waits, limit) => {
        let now = 0;
        const window = new SlidingWindow({ now: () => now });
        const allowed: number[] = [];
        for (const wait of waits) {
          now += wait;
          const recent = allowed.filter((at) => at > now - 100).length;
          const taken = window.take('client', { limit, windowMs: 100 });
          expect(taken.allowed).toBe(recent < limit);
          expect(taken.remaining).toBe(Math.max(0, limit - recent - 1));
          if (taken.allowed) allowed.push(now);
        }
      }),
    );
  });

  test('forgets the client that was silent for longest when there are too many (B20)', () => {
    const window = new SlidingWindow({ maxKeys: 2, now: () => 0 });
    for (let count = 0; count < 3; count += 1) window.take('a', POLICY);
    window.take('b', POLICY);
    expect(window.take('a', POLICY).allowed).toBe(false);
    window.take('c', POLICY);
    expect([window.size, window.take('a', POLICY).allowed]).toEqual([2, false]);
    for (let key = 0; key < 10_000; key += 1) window.take(`key ${key}`, POLICY);
    expect(window.size).toBe(2);
  });
});
