import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { armGrace, armLimits, disarm } from './call-alarm.ts';
import { createEngineCall, type PendingCall } from './pending-call.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
});

function callWith(limits: Partial<PendingCall>): PendingCall {
  return { ...createEngineCall({ kind: 'script', text: '' }, ''), ...limits };
}

describe('the limits of a call', () => {
  let cancelled: PendingCall[];
  const cancel = (call: PendingCall) => void cancelled.push(call);
  beforeEach(() => {
    cancelled = [];
  });

  test('end it when its time is over, counted from the asking', () => {
    const startedAt = performance.now();
    vi.advanceTimersByTime(30);
    const call = callWith({ timeoutMs: 50, startedAt });
    armLimits(call, cancel);
    vi.advanceTimersByTime(19);
    expect(cancelled).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(cancelled).toEqual([call]);
  });

  test('end it with its signal', () => {
    const controller = new AbortController();
    const call = callWith({ signal: controller.signal });
    armLimits(call, cancel);
    controller.abort();
    expect(cancelled).toEqual([call]);
  });

  test('are gone once they are disarmed', () => {
    const controller = new AbortController();
    const call = callWith({ timeoutMs: 50, signal: controller.signal });
    armLimits(call, cancel);
    disarm(call);
    controller.abort();
    vi.advanceTimersByTime(100);
    expect([cancelled, vi.getTimerCount()]).toEqual([[], 0]);
  });

  test('are gone too where the time was over, and the answers that have arrived come first', () => {
    const call = callWith({ timeoutMs: 50 });
    armLimits(call, cancel);
    vi.advanceTimersToNextTimer();
    disarm(call);
    vi.runAllTimers();
    expect(cancelled).toEqual([]);
  });
});

describe('the grace of a cancelled call', () => {
  test('is over in time, unless an answer came', () => {
    const onOver = vi.fn<() => void>();
    const [call, answered] = [callWith({}), callWith({})];
    for (const waiting of [call, answered]) armGrace(waiting, { graceMs: 250, isFinal: false }, onOver);
    answered.settled = true;
    vi.advanceTimersByTime(249);
    expect(onOver).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(onOver).toHaveBeenCalledOnce();
  });

  test('begins again after a stall, for a COMMIT alone', () => {
    const [onOver, onCommitOver] = [vi.fn<() => void>(), vi.fn<() => void>()];
    armGrace(callWith({}), { graceMs: 250, isFinal: false }, onOver);
    armGrace(callWith({}), { graceMs: 250, isFinal: true }, onCommitOver);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000);
    vi.advanceTimersByTime(251);
    expect([onOver.mock.calls.length, onCommitOver.mock.calls.length]).toEqual([1, 0]);
    vi.advanceTimersByTime(251);
    expect(onCommitOver).toHaveBeenCalledOnce();
    vi.restoreAllMocks();
  });
});
