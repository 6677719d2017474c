import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { armGrace, CallAlarms, disarm, type AlarmedCall } from './call-alarm.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
});

interface Call extends AlarmedCall {
  settled: boolean;
}

function callWith(limits: Partial<Call>): Call {
  return {
    name: undefined,
    mayWrite: false,
    timeoutMs: 0,
    signal: undefined,
    startedAt: performance.now(),
    settled: false,
    cancelReason: undefined,
    deadline: Infinity,
    timer: undefined,
    onAbort: undefined,
    ...limits,
  };
}

describe('the limits of calls', () => {
  let cancelled: Call[];
  let underWay: Call[];
  let alarms: CallAlarms<Call>;
  beforeEach(() => {
    cancelled = [];
    underWay = [];
    const cancel = (call: Call) => {
      cancelled.push(call);
      underWay = underWay.filter((other) => other !== call);
    };
    alarms = new CallAlarms({ calls: () => underWay, cancel });
  });
  const arm = (call: Call) => {
    underWay.push(call);
    alarms.arm(call);
  };

  test('end it when its time is over, counted from the asking', () => {
    const startedAt = performance.now();
    vi.advanceTimersByTime(30);
    const call = callWith({ timeoutMs: 50, startedAt });
    arm(call);
    vi.advanceTimersByTime(19);
    expect(cancelled).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(cancelled).toEqual([call]);
  });

  test('end it with its signal', () => {
    const controller = new AbortController();
    const call = callWith({ signal: controller.signal });
    arm(call);
    controller.abort();
    expect(cancelled).toEqual([call]);
  });

  test('are gone once they are disarmed', () => {
    const controller = new AbortController();
    const call = callWith({ timeoutMs: 50, signal: controller.signal });
    arm(call);
    disarm(call);
    underWay = [];
    controller.abort();
    vi.advanceTimersByTime(100);
    expect([cancelled, vi.getTimerCount()]).toEqual([[], 0]);
  });

  test('are gone too where the time was over, and the answers that have arrived come first', () => {
    const call = callWith({ timeoutMs: 50 });
    arm(call);
    vi.advanceTimersToNextTimer();
    call.settled = true;
    vi.runAllTimers();
    expect(cancelled).toEqual([]);
  });

  test('end each of many at its own time, whatever the order in which they came', () => {
    const calls = [80, 20, 50, 20, 0].map((timeoutMs) => callWith({ timeoutMs }));
    for (const call of calls) arm(call);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(21);
    expect(cancelled).toEqual([calls[1], calls[3]]);
    vi.advanceTimersByTime(30);
    expect(cancelled.slice(2)).toEqual([calls[2]]);
    vi.advanceTimersByTime(30);
    expect(cancelled.slice(3)).toEqual([calls[0]]);
  });

  test('can be armed again after they were disarmed, as for a call that is sent again', () => {
    const call = callWith({ timeoutMs: 50 });
    arm(call);
    disarm(call);
    vi.advanceTimersByTime(100);
    expect(cancelled).toEqual([]);
    alarms.arm(call);
    vi.advanceTimersByTime(1);
    expect(cancelled).toEqual([call]);
  });

  test('keep the process alive only where they are asked to', () => {
    const armed = [undefined, true].map((keepsAlive) => {
      const setTimer = vi.spyOn(globalThis, 'setTimeout');
      new CallAlarms<Call>({ calls: () => [], cancel: () => {}, keepsAlive }).arm(
        callWith({ timeoutMs: 50 }),
      );
      const timer = setTimer.mock.results[0]!.value as NodeJS.Timeout;
      setTimer.mockRestore();
      return timer.hasRef();
    });
    expect(armed).toEqual([false, true]);
  });

  test('leave no timer when the connection is lost', () => {
    arm(callWith({ timeoutMs: 50 }));
    alarms.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100);
    expect(cancelled).toEqual([]);
  });
});

describe('the grace of a cancelled call', () => {
  test('is over in time, unless an answer came', () => {
    const onOver = vi.fn<() => void>();
    const [call, answered] = [callWith({}), callWith({})];
    for (const waiting of [call, answered]) armGrace(waiting, { graceMs: 250 }, onOver);
    answered.settled = true;
    vi.advanceTimersByTime(249);
    expect(onOver).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(onOver).toHaveBeenCalledOnce();
  });

  test('begins again after a stall, for a COMMIT alone', () => {
    const [onOver, onCommitOver] = [vi.fn<() => void>(), vi.fn<() => void>()];
    armGrace(callWith({}), { graceMs: 250 }, onOver);
    armGrace(callWith({}), { graceMs: 250, isFinal: true }, onCommitOver);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000);
    vi.advanceTimersByTime(251);
    expect([onOver.mock.calls.length, onCommitOver.mock.calls.length]).toEqual([1, 0]);
    vi.advanceTimersByTime(251);
    expect(onCommitOver).toHaveBeenCalledOnce();
    vi.restoreAllMocks();
  });
});
