import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';

describe('ManualClock', () => {
  it('fires timers in the order of their time, each at its own time', () => {
    const clock = new ManualClock(100);
    const fired: [string, number][] = [];
    clock.after(20, () => fired.push(['second', clock.now()]));
    clock.after(10, () => fired.push(['first', clock.now()]));
    clock.after(30, () => fired.push(['never', clock.now()]));
    clock.advance(25);
    expect(fired).toEqual([
      ['first', 110],
      ['second', 120],
    ]);
    expect(clock.now()).toBe(125);
    expect(clock.pending).toBe(1);
  });

  it('does not fire a cancelled timer', () => {
    const clock = new ManualClock();
    const timer = clock.after(1, () => expect.unreachable());
    timer.cancel();
    clock.advance(10);
    expect(clock.pending).toBe(0);
  });

  it('says how many timers would keep a process alive', () => {
    const clock = new ManualClock();
    const first = clock.after(1, () => {});
    clock.after(2, () => {}, { keepAlive: true });
    expect(clock.keepingAlive).toBe(1);
    first.keepAlive(true);
    expect(clock.keepingAlive).toBe(2);
    clock.advance(1);
    expect(clock.keepingAlive).toBe(1);
  });

  it('lets promises settle between timers, so that timers they set fire too', async () => {
    const clock = new ManualClock();
    const fired: number[] = [];
    clock.after(5, () => {
      void Promise.resolve().then(() => clock.after(5, () => fired.push(clock.now())));
    });
    await clock.advanceAsync(10);
    expect(fired).toEqual([10]);
  });
});
