import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CallAlarms, disarm } from './call-alarm.ts';
import { createCall, type CallPlace, type PendingCall } from './pending-call.ts';
import { Plan } from './plan.ts';
import { NO_SERVER_LIMITS } from './server-limits.ts';

const PLACE: CallPlace = {
  placement: 'connection',
  transactionId: undefined,
  queryTimeoutMs: 0,
  serverLimits: NO_SERVER_LIMITS,
  observer: undefined,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the limits of calls', () => {
  let cancelled: PendingCall[];
  let underWay: PendingCall[];
  let alarms: CallAlarms;
  beforeEach(() => {
    cancelled = [];
    underWay = [];
    const cancel = (call: PendingCall) => {
      cancelled.push(call);
      underWay = underWay.filter((other) => other !== call);
    };
    alarms = new CallAlarms({ calls: () => underWay, cancel });
  });
  const arm = (timeoutMs: number, signal?: AbortSignal): PendingCall => {
    const plan = new Plan('select 1', false);
    const call = createCall(
      { form: 'all', statement: { text: plan.text, params: [] }, plan },
      { timeoutMs, signal },
      PLACE,
    );
    underWay.push(call);
    alarms.arm(call);
    return call;
  };

  test('end each of many at its own time, with one timer, whatever the order in which they came', () => {
    const calls = [80, 20, 50, 20, 0].map((timeoutMs) => arm(timeoutMs));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(21);
    expect(cancelled).toEqual([calls[1], calls[3]]);
    vi.advanceTimersByTime(30);
    expect(cancelled.slice(2)).toEqual([calls[2]]);
    vi.advanceTimersByTime(30);
    expect(cancelled.slice(3)).toEqual([calls[0]]);
  });

  test('end one with its signal', () => {
    const controller = new AbortController();
    const call = arm(0, controller.signal);
    controller.abort();
    expect(cancelled).toEqual([call]);
  });

  test('are gone once they are disarmed', () => {
    const controller = new AbortController();
    disarm(arm(50, controller.signal));
    controller.abort();
    vi.advanceTimersByTime(100);
    expect(cancelled).toEqual([]);
  });

  test('come behind the answers that have arrived, where the time was over', () => {
    const call = arm(50);
    vi.advanceTimersToNextTimer();
    call.settled = true;
    vi.runAllTimers();
    expect(cancelled).toEqual([]);
  });

  test('leave no timer when there will be no calls', () => {
    arm(50);
    alarms.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
