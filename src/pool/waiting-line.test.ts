import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Waiter, WaitingLine } from './waiting-line.ts';

function waiterOf(name: string, timeoutMs = 100): Waiter<string> {
  const settle = { resolve: () => {}, reject: () => {} };
  return new Waiter(settle, { holder: name, trace: undefined, signal: undefined, sinceMs: 0, timeoutMs });
}

function lineOf(...waiters: Waiter<string>[]): WaitingLine<string> {
  const line = new WaitingLine<string>(() => {});
  for (const waiter of waiters) line.push(waiter);
  return line;
}

function names(waiters: readonly (Waiter<string> | undefined)[]): (string | undefined)[] {
  return waiters.map((waiter) => waiter?.details.holder);
}

describe('WaitingLine', () => {
  it('serves in the order of joining', () => {
    const line = lineOf(waiterOf('a'), waiterOf('b'));
    expect(names([line.shift(), line.shift(), line.shift()])).toEqual(['a', 'b', undefined]);
    expect(line.length).toBe(0);
  });

  it('lets anybody leave: the first, the last, one between, the only one', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => waiterOf(name));
    const line = lineOf(a!, b!, c!, d!);
    expect(line.remove(b!)).toBe(true);
    expect(line.remove(d!)).toBe(true);
    expect(line.remove(a!)).toBe(true);
    expect(line.remove(a!)).toBe(false);
    expect(line.length).toBe(1);
    expect(line.remove(c!)).toBe(true);
    line.push(waiterOf('e'));
    expect(names(line.clear())).toEqual(['e']);
  });

  it('says when the last in line has left', () => {
    let empty = 0;
    const line = new WaitingLine<string>(() => (empty += 1));
    const [a, b] = ['a', 'b'].map((name) => waiterOf(name));
    line.push(a!);
    line.push(b!);
    line.remove(a!);
    expect(empty).toBe(0);
    line.shift();
    expect(empty).toBe(1);
    line.shift();
    expect(empty).toBe(1);
  });

  it('listens to the signal of a waiter only while it waits', () => {
    const { signal } = new AbortController();
    const details = { holder: 'a', trace: undefined, signal, sinceMs: 0, timeoutMs: 100 };
    const waiter = new Waiter({ resolve: () => {}, reject: () => {} }, details);
    const line = lineOf(waiter);
    expect(getEventListeners(signal, 'abort')).toEqual([waiter]);
    line.shift();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('finds those whose time is over, wherever they stand, and the next deadline', () => {
    const line = lineOf(waiterOf('long', 300), waiterOf('short', 100), waiterOf('middle', 200));
    expect(line.nextDeadlineMs).toBe(100);
    expect(names(line.due(200))).toEqual(['short', 'middle']);
    for (const waiter of line.due(200)) line.remove(waiter);
    expect(line.nextDeadlineMs).toBe(300);
    line.clear();
    expect(line.nextDeadlineMs).toBe(Infinity);
  });
});
