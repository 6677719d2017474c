import { beforeEach, describe, expect, test } from 'vitest';
import type { PendingCall } from './pending-call.ts';
import { PendingCalls } from './pending-calls.ts';

const CAPACITY = 8;
let calls: PendingCalls;
beforeEach(() => {
  calls = new PendingCalls(CAPACITY);
});

function send(seq: number): PendingCall {
  const call = { seq } as PendingCall;
  calls.set(call);
  return call;
}

function numbers(): number[] {
  return calls.values().map(({ seq }) => seq);
}

describe('the calls of a worker', () => {
  test('are found by their numbers until they are answered, round the ring again and again', () => {
    for (let seq = 1; seq <= 100; seq += 1) {
      const call = send(seq);
      expect([calls.get(seq), calls.size]).toEqual([call, 1]);
      calls.delete(seq);
      calls.delete(seq);
      expect([calls.get(seq), calls.size]).toEqual([undefined, 0]);
    }
  });

  test('are not taken for others of the same slot', () => {
    const call = send(3 + CAPACITY);
    calls.delete(3);
    expect([calls.get(3), calls.get(3 + CAPACITY)]).toEqual([undefined, call]);
  });

  test('come in the order in which they were sent, whichever were answered meanwhile', () => {
    for (let seq = 5; seq < 5 + CAPACITY - 1; seq += 1) send(seq);
    expect(numbers()).toEqual([5, 6, 7, 8, 9, 10, 11]);
    for (const seq of [7, 5, 6]) calls.delete(seq);
    for (const seq of [12, 13]) send(seq);
    expect([numbers(), calls.size]).toEqual([[8, 9, 10, 11, 12, 13], 6]);
  });

  test('may be replaced by one of the same number, and keep their place', () => {
    for (const seq of [1, 2, 3]) send(seq);
    const other = send(2);
    expect([calls.get(2), calls.size, numbers()]).toEqual([other, 3, [1, 2, 3]]);
  });

  test('may be forgotten all at once', () => {
    for (const seq of [1, 2, 3]) send(seq);
    calls.clear();
    expect([calls.size, calls.values(), calls.get(2)]).toEqual([0, [], undefined]);
  });
});
