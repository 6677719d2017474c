import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { checkCallOptions, looksLikeOptions, NO_OPTIONS } from './call-options.ts';

describe('the options of a call', () => {
  test('are one shared frozen object when none are given', () => {
    expect(checkCallOptions(undefined)).toBe(NO_OPTIONS);
    expect(Object.isFrozen(NO_OPTIONS)).toBe(true);
  });

  test('are passed on as they are when nothing is wrong', () => {
    const options = { timeoutMs: 5, signal: new AbortController().signal, name: 'users', target: 'replica' };
    expect(checkCallOptions(options)).toBe(options);
    for (const timeoutMs of [0, 0.5, 2_147_483_647, undefined]) {
      expect(checkCallOptions({ timeoutMs })).toEqual({ timeoutMs });
    }
    expect(checkCallOptions({ signal: undefined, name: undefined, target: 'primary' })).toBeDefined();
  });

  test.each([
    ['a negative timeout', { timeoutMs: -1 }, 'timeoutMs is a number of milliseconds from 0 (no limit) to'],
    ['a timeout that is no number', { timeoutMs: NaN }, 'timeoutMs is a number'],
    ['a timeout without end', { timeoutMs: Infinity }, 'timeoutMs is a number'],
    ['a timeout that setTimeout would cut to 1 ms', { timeoutMs: 2_147_483_648 }, 'to 2147483647'],
    ['a timeout in words', { timeoutMs: '5s' }, 'timeoutMs is a number'],
    [
      'a controller for its signal',
      { signal: new AbortController() },
      'signal is an AbortSignal: pass controller.signal',
    ],
    ['another signal', { signal: { aborted: false } }, 'signal is an AbortSignal.'],
    ['a name that is no string', { name: 1 }, 'name is a string'],
    ['an unknown target', { target: 'secondary' }, "target is 'primary' or 'replica'"],
    ['an array', [1, 2], 'Call options are an object with timeoutMs, signal, name, target'],
    ['null', null, 'Call options are an object'],
    ['a number', 5_000, 'Call options are an object'],
  ])('refuse %s', (_what, options, message) => {
    expect(() => checkCallOptions(options)).toThrow(UsageError);
    expect(() => checkCallOptions(options)).toThrow(message);
  });

  test.each([
    ['timeout', 'timeoutMs'],
    ['timeoutms', 'timeoutMs'],
    ['abortSignal', 'signal'],
    ['queryName', 'name'],
  ])('have no option %s: did you mean %s?', (key, meant) => {
    expect(() => checkCallOptions({ [key]: 1 })).toThrow(`no option "${key}". Did you mean ${meant}?`);
  });

  test('list what there is when nothing is near', () => {
    const message = 'A call has no option "retries". It takes timeoutMs, signal, name, target, readAfter.';
    expect(() => checkCallOptions({ retries: 3 })).toThrow(message);
  });

  test('are recognised where parameters go by having no key but theirs', () => {
    expect(looksLikeOptions({ timeoutMs: 1, name: 'x' })).toBe(true);
    expect(looksLikeOptions({ name: 'x', id: 1 })).toBe(false);
    for (const other of [{}, [], ['name'], null, undefined, 'name'])
      expect(looksLikeOptions(other)).toBe(false);
  });
});
