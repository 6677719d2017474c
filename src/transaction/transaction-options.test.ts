import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import {
  resolveBeginOptions,
  resolveNestedOptions,
  resolveTransactionOptions,
} from './transaction-options.ts';

describe('transaction options', () => {
  test('have defaults', () => {
    expect(resolveTransactionOptions(undefined)).toEqual({
      readOnly: false,
      isolation: undefined,
      foreignKeys: true,
      timeoutMs: undefined,
      propagation: 'required',
      retry: undefined,
      inner: 'join',
      signal: undefined,
      name: undefined,
    });
    expect(resolveTransactionOptions({ readOnly: undefined })).toEqual(resolveTransactionOptions(undefined));
  });

  test('keep what is given', () => {
    const { signal } = new AbortController();
    const given = {
      readOnly: true,
      isolation: 'serializable',
      timeoutMs: 0,
      propagation: 'nested',
      signal,
      name: 'n',
    } as const;
    expect(resolveTransactionOptions({ ...given, retry: 3 })).toMatchObject({
      ...given,
      retry: { attempts: 3 },
    });
  });

  test.each([
    [
      { limit: 5 },
      'there is no option "limit" (there are readOnly, isolation, readAfter, foreignKeys, timeoutMs',
    ],
    [{ timeout: 5 }, 'there is no option "timeout" (did you mean timeoutMs?)'],
    [{ readonly: true }, 'there is no option "readonly" (did you mean readOnly?)'],
    [{ readOnly: 1 }, 'readOnly must be true or false'],
    [{ inner: 'savepoint' }, "inner must be one of 'join', 'nest'"],
    [{ isolation: 'snapshot' }, "isolation must be one of 'read uncommitted'"],
    [{ timeoutMs: -1 }, 'timeoutMs must be a number of milliseconds from 0 (off)'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs must be'],
    [{ timeoutMs: 2 ** 31 }, 'timeoutMs must be'],
    [{ timeoutMs: '5' }, 'timeoutMs must be'],
    [{ propagation: 'mandatary' }, "propagation must be one of 'required'"],
    [{ retry: -1 }, 'retry must ask for 0 to 100 attempts'],
    [{ retry: 1.5 }, 'retry must ask for'],
    [{ retry: 'often' }, 'retry must be a number or'],
    [{ retry: null }, 'retry must be a number or'],
    [{ retry: {} }, 'retry must ask for 1 to 100 attempts'],
    [{ retry: { attempts: 1, delay: 5 } }, 'retry has no option "delay"'],
    [{ retry: { attempts: 1, minDelayMs: -5 } }, 'retry takes minDelayMs and maxDelayMs'],
    [{ retry: { attempts: 1, minDelayMs: 50, maxDelayMs: 10 } }, 'retry has a minDelayMs above'],
    [{ retry: { attempts: 1, when: true } }, 'retry takes a function as `when`'],
    [{ signal: {} }, 'signal must be an AbortSignal'],
    [{ name: 5 }, 'name must be a string'],
  ])('that are wrong are refused: %j', (given, message) => {
    expect(() => resolveTransactionOptions(given as never)).toThrow(UsageError);
    expect(() => resolveTransactionOptions(given as never)).toThrow(message);
  });

  test('name all faults at once', () => {
    const faults = /readOnly must be .*; name must be .*; there is no option "x"/;
    expect(() => resolveTransactionOptions({ readOnly: 1, name: 2, x: 3 } as never)).toThrow(faults);
  });

  test('must be an object', () => {
    expect(() => resolveTransactionOptions('readOnly' as never)).toThrow(UsageError);
    expect(() => resolveTransactionOptions(null as never)).toThrow(UsageError);
  });

  test('are fewer for begin() and for savepoints', () => {
    expect(() => resolveBeginOptions({ retry: 1 } as never)).toThrow('there is no option "retry"');
    expect(() => resolveNestedOptions({ isolation: 'serializable' } as never, 'tx.begin()')).toThrow(
      /options of tx.begin\(\) are wrong: there is no option "isolation"/,
    );
  });
});
