import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../async/index.ts';
import { WakeTimer } from './wake-timer.ts';

function wakeRecord(nextMs: (nowMs: number) => number = () => Infinity) {
  const clock = new ManualClock();
  const wokenAt: number[] = [];
  const timer = new WakeTimer(clock, (nowMs) => {
    wokenAt.push(nowMs);
    return nextMs(nowMs);
  });
  return { clock, timer, wokenAt };
}

describe('WakeTimer', () => {
  it('keeps one timer, for the earliest time asked for', () => {
    const { clock, timer, wokenAt } = wakeRecord();
    timer.wakeAt(50);
    timer.wakeAt(20);
    timer.wakeAt(80);
    expect(clock.pending).toBe(1);
    clock.advance(100);
    expect(wokenAt).toEqual([20]);
    expect(clock.pending).toBe(0);
  });

  it('is set again for when it wants to be woken next', () => {
    const { clock, timer, wokenAt } = wakeRecord((nowMs) => (nowMs < 30 ? nowMs + 10 : Infinity));
    timer.wakeAt(10);
    clock.advance(100);
    expect(wokenAt).toEqual([10, 20, 30]);
  });

  it('wakes up before a time that no timer can reach', () => {
    const { clock, timer, wokenAt } = wakeRecord((nowMs) => (nowMs < 5e9 ? 5e9 : Infinity));
    timer.wakeAt(5e9);
    clock.advance(5e9);
    expect(wokenAt).toEqual([2_147_483_647, 4_294_967_294, 5e9]);
  });

  it('wakes up at once for a time that has passed', () => {
    const { clock, timer, wokenAt } = wakeRecord();
    clock.advance(100);
    timer.wakeAt(40);
    clock.advance(0);
    expect(wokenAt).toEqual([100]);
  });

  it('keeps the process alive where it is told to, with the timer that is set and with those to come', () => {
    const { clock, timer } = wakeRecord((nowMs) => (nowMs < 30 ? nowMs + 10 : Infinity));
    timer.wakeAt(10);
    expect(clock.keepingAlive).toBe(0);
    timer.keepAlive(true);
    expect(clock.keepingAlive).toBe(1);
    clock.advance(20);
    expect(clock.keepingAlive).toBe(1);
    timer.keepAlive(false);
    expect([clock.pending, clock.keepingAlive]).toEqual([1, 0]);
  });

  it('sets no timer after it was stopped', () => {
    const { clock, timer } = wakeRecord();
    timer.wakeAt(10);
    timer.stop();
    timer.wakeAt(5);
    expect(clock.pending).toBe(0);
  });

  it('does not wake up in the context of the request that asked', async () => {
    const request = new AsyncLocalStorage<string>();
    const woken = Promise.withResolvers<string | undefined>();
    const timer = new WakeTimer(systemClock, () => {
      woken.resolve(request.getStore());
      return Infinity;
    });
    request.run('the first request', () => timer.wakeAt(0));
    const keepAlive = setTimeout(() => {}, 5_000);
    expect(await woken.promise).toBeUndefined();
    clearTimeout(keepAlive);
  });
});
