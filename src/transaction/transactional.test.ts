import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OutcomeUnknownError, QueryExecutionError, UsageError } from '../errors/index.ts';
import { failureOf, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import {
  createTransactional,
  createTransactionalDecorator,
  type PartialCommitError,
} from './transactional.ts';

let main: TransactionBench;
let analytics: TransactionBench;
beforeEach(() => {
  main = new TransactionBench({}, 'main');
  analytics = new TransactionBench({}, 'analytics');
});
afterEach(() => {
  expect([...main.faults(), ...analytics.faults()]).toEqual([]);
});

const resolve = (name = 'main'): TransactionBench => {
  const found = [main, analytics].find((bench) => bench.name === name);
  if (found === undefined) throw new UsageError(`no database "${name}"`);
  return found;
};
const transactional = createTransactional(resolve);

describe('transactional(fn)', () => {
  test('runs the function in a transaction, with its arguments and its this (J3)', async () => {
    const service = {
      prefix: 'k',
      save: transactional(async function (this: { prefix: string }, key: number, value: number) {
        await main.run(`set ${this.prefix}${key} ${value}`);
        return main.manager.current()?.id;
      }),
    };
    expect(await service.save(1, 2)).toBe(1);
    expect(main.committed).toEqual({ k1: '2' });
  });

  test('names the transaction after the function, or as told', async () => {
    const createJob = transactional(async function createJob() {});
    await createJob();
    await transactional(async () => {}, { name: 'jobs' })();
    await transactional(() => {})();
    expect(
      main.events.filter(([name]) => name === 'transaction:start').map(([, event]) => event),
    ).toMatchObject([{ name: 'createJob' }, { name: 'jobs' }, { transactionId: 3 }]);
  });

  test('passes options on, and takes another database by its name', async () => {
    const list = transactional(() => analytics.manager.current()?.readOnly, {
      database: 'analytics',
      readOnly: true,
    });
    expect(await list()).toBe(true);
  });

  test('finds its database when it is called, and rejects where there is none', async () => {
    const lost = transactional(() => 1, { database: 'nowhere' });
    expect(await failureOf(lost())).toBeInstanceOf(UsageError);
  });

  test('rolls back and passes the same error on', async () => {
    const error = new Error('mine');
    expect(await failureOf(transactional(() => Promise.reject(error))())).toBe(error);
    expect(main.log).toEqual(['begin', 'rollback']);
  });

  test('refuses what is no function, and no database', () => {
    expect(() => transactional('fn' as never)).toThrow(UsageError);
    expect(() => transactional(() => 1, { database: [] })).toThrow(UsageError);
  });
});

describe('transactional() on several databases (J7)', () => {
  const both = { database: ['main', 'analytics'] };
  const write = async (): Promise<string> => {
    await main.run('set a 1');
    await analytics.run('set b 2');
    return 'done';
  };

  test('commits each, in the opposite order of their beginning', async () => {
    expect(await transactional(write, both)()).toBe('done');
    expect([main.committed, analytics.committed]).toEqual([{ a: '1' }, { b: '2' }]);
  });

  test('names each database once', async () => {
    await transactional(write, { database: ['main', 'analytics', 'main'] })();
    expect(main.log.filter((name) => name === 'begin')).toHaveLength(1);
  });

  test('rolls back all when the function fails', async () => {
    const error = new Error('mine');
    const failing = transactional(async () => {
      await write();
      throw error;
    }, both);
    expect(await failureOf(failing())).toBe(error);
    expect([main.committed, analytics.committed]).toEqual([{}, {}]);
  });

  test('rolls back all when the first to commit fails', async () => {
    const error = new Error('deferred');
    analytics.connection.failNext('commit', error);
    expect(await failureOf(transactional(write, both)())).toBe(error);
    expect([main.committed, analytics.committed]).toEqual([{}, {}]);
  });

  test('says which are committed when a later one fails', async () => {
    const cause = new Error('deferred');
    main.connection.failNext('commit', cause);
    const error: PartialCommitError = await failureOf(transactional(write, both)());
    expect(error).toMatchObject({ code: 'ERR_MILLPOND_PARTIAL_COMMIT', cause });
    expect(error.outcomes).toEqual([
      { database: 'main', outcome: 'rolled-back' },
      { database: 'analytics', outcome: 'committed' },
    ]);
    expect(error.message).toMatch(/main rolled-back, analytics committed\. What is committed stays\.$/);
    expect([main.committed, analytics.committed]).toEqual([{}, { b: '2' }]);
  });

  test('says so when a later one has an unknown outcome', async () => {
    main.connection.failNext('commit', new OutcomeUnknownError('lost'));
    const error: PartialCommitError = await failureOf(transactional(write, both)());
    expect(error.outcomes[0]).toEqual({ database: 'main', outcome: 'unknown' });
  });

  test('passes the error on where the commit is still up to an outer transaction', async () => {
    const cause = new Error('deferred');
    main.connection.failNext('commit', cause);
    const failed = analytics.transaction(async () => {
      expect(await failureOf(transactional(write, both)())).toBe(cause);
      throw cause;
    });
    expect(await failureOf(failed)).toBe(cause);
    expect(analytics.committed).toEqual({});
  });

  test('says which are still up to an outer transaction', async () => {
    const third = new TransactionBench({}, 'third');
    const find = (name = 'main'): TransactionBench => (name === 'third' ? third : resolve(name));
    const all = createTransactional(find)(write, { database: ['main', 'analytics', 'third'] });
    analytics.connection.failNext('commit', new Error('deferred'));
    const error: PartialCommitError = await failureOf(main.transaction(() => all()));
    expect(error.outcomes).toEqual([
      { database: 'main', outcome: 'pending' },
      { database: 'analytics', outcome: 'rolled-back' },
      { database: 'third', outcome: 'committed' },
    ]);
    expect(main.committed).toEqual({});
  });

  test('tries all again together, but never once one is committed', async () => {
    const retryable = (): Error => new QueryExecutionError('serialization', { retryable: true });
    let calls = 0;
    const counted = transactional(
      async () => {
        calls++;
        return write();
      },
      { ...both, retry: 3 },
    );
    analytics.connection.failNext('commit', retryable());
    const done = counted();
    await main.clock.advanceAsync(1_000);
    expect(await done).toBe('done');
    expect(calls).toBe(2);

    main.connection.failNext('commit', retryable());
    expect(await failureOf(counted())).toMatchObject({ code: 'ERR_MILLPOND_PARTIAL_COMMIT' });
    expect(calls).toBe(3);
  });

  test('asks `when` as well', async () => {
    const asked: unknown[] = [];
    const error = new QueryExecutionError('serialization', { retryable: true });
    analytics.connection.failNext('commit', error);
    const when = (seen: unknown): boolean => asked.push(seen) < 0;
    expect(await failureOf(transactional(write, { ...both, retry: { attempts: 3, when } })())).toBe(error);
    expect(asked).toEqual([error]);
  });
});

describe('Transactional()', () => {
  test('refuses to decorate what is no method', () => {
    const decorate = createTransactionalDecorator(resolve)();
    expect(() => decorate(async () => 1, { kind: 'class' } as never)).toThrow(UsageError);
    expect(() => decorate({} as never, 'list' as never)).toThrow(/Turn off experimentalDecorators/);
    expect(() => decorate(async () => 1, undefined as never)).toThrow(UsageError);
  });
});
