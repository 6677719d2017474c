import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CallQueue, type QueuedCall } from './call-queue.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

interface NamedCall extends QueuedCall {
  readonly ended: unknown[];
}

function callWith(limits: Partial<QueuedCall> = {}): NamedCall {
  const ended: unknown[] = [];
  const reject = (error: unknown) => void ended.push(error);
  const none = { name: undefined, timeoutMs: 0, signal: undefined, mayWrite: true };
  return { ...none, startedAt: performance.now(), ...limits, reject, ended };
}

describe('a call in line', () => {
  test('is taken in the order of coming', () => {
    const queue = new CallQueue<NamedCall>();
    const calls = [callWith(), callWith({ timeoutMs: 50 }), callWith()];
    for (const call of calls) queue.push(call);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([...calls, undefined]);
    vi.advanceTimersByTime(1_000);
    expect(calls.flatMap(({ ended }) => ended)).toEqual([]);
  });

  test('leaves it when its time is over, counted from the asking (B10)', () => {
    const queue = new CallQueue<NamedCall>();
    const startedAt = performance.now();
    vi.advanceTimersByTime(30);
    const call = callWith({ timeoutMs: 50, startedAt, name: 'late' });
    const other = callWith();
    queue.push(call);
    queue.push(other);
    vi.advanceTimersByTime(19);
    expect(queue.length).toBe(2);
    vi.advanceTimersByTime(2);
    expect(call.ended).toMatchObject([
      { code: 'ERR_MILLPOND_TIMEOUT', timeoutMs: 50, rollback: 'confirmed' },
    ]);
    expect([queue.shift(), queue.length]).toEqual([other, 0]);
  });

  test('leaves it with the reason of its signal, before or after it came', () => {
    const queue = new CallQueue<NamedCall>();
    const before = callWith({ signal: AbortSignal.abort('before') });
    const controller = new AbortController();
    const after = callWith({ signal: controller.signal });
    queue.push(before);
    queue.push(after);
    controller.abort('after');
    expect([before.ended, after.ended, queue.length]).toEqual([['before'], ['after'], 0]);
  });

  test('is no longer subject to its limits once its turn has come', () => {
    const queue = new CallQueue<NamedCall>();
    const controller = new AbortController();
    const call = callWith({ timeoutMs: 50, signal: controller.signal });
    queue.push(call);
    queue.shift();
    controller.abort('too late');
    vi.advanceTimersByTime(100);
    expect(call.ended).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is refused with all others, or with those that match', () => {
    const queue = new CallQueue<NamedCall>();
    const calls = [callWith({ name: 'a' }), callWith({ name: 'b', timeoutMs: 50 }), callWith({ name: 'a' })];
    for (const call of calls) queue.push(call);
    queue.rejectIf(
      ({ name }) => name === 'a',
      () => 'first',
    );
    queue.rejectAll('second');
    expect(calls.map(({ ended }) => ended)).toEqual([['first'], ['second'], ['first']]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
