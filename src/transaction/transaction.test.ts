import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OutcomeUnknownError, TimeoutError, TransactionClosedError, UsageError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench();
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

describe('a transaction with a handle (J4)', () => {
  test('commits by commit()', async () => {
    const tx = await bench.manager.begin({ name: 'import' });
    await tx.run('set a 1');
    expect(tx).toMatchObject({ id: 1, readOnly: false, state: 'active' });
    await tx.commit();
    expect(tx.state).toBe('committed');
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('rolls back by rollback(), which may be said twice', async () => {
    const tx = await bench.manager.begin();
    const seen: unknown[] = [];
    tx.onRollback((error) => seen.push(error));
    await tx.run('set a 1');
    const error = new Error('mine');
    await tx.rollback(error);
    await tx.rollback();
    expect(seen).toEqual([error]);
    expect(tx.state).toBe('rolled-back');
    expect(bench.committed).toEqual({});
  });

  test('rolls back by leaving its scope without commit', async () => {
    {
      await using tx = await bench.manager.begin();
      await tx.run('set a 1');
    }
    {
      await using tx = await bench.manager.begin();
      await tx.run('set b 2');
      await tx.commit();
    }
    expect(bench.committed).toEqual({ b: '2' });
  });

  test('is not ambient', async () => {
    await using tx = await bench.manager.begin();
    expect(bench.manager.current()).toBeUndefined();
    await tx.transaction(async (inner) => {
      expect(bench.manager.current()).toBe(inner);
    });
  });

  test('can be read-only', async () => {
    await using tx = await bench.manager.begin({ readOnly: true });
    expect(tx.readOnly).toBe(true);
    expect(bench.readers.connection.begun).toMatchObject([{ readOnly: true, isolation: undefined }]);
  });

  test('that cannot begin rejects and gives its connection back (C34)', async () => {
    const error = new Error('busy');
    bench.connection.failNext('begin', error);
    expect(await failureOf(bench.manager.begin())).toBe(error);
    expect(bench.faults()).toEqual([]);
  });

  test('refuses wrong options', async () => {
    expect(await failureOf(bench.manager.begin({ retry: 1 } as never))).toBeInstanceOf(UsageError);
  });

  test('ended from outside refuses commit(), accepts rollback(), and may leave its scope', async () => {
    const tx = await bench.manager.begin({ timeoutMs: 500 });
    await bench.clock.advanceAsync(500);
    const error: TransactionClosedError = await failureOf(tx.commit());
    expect(error).toBeInstanceOf(TransactionClosedError);
    expect(error.cause).toBeInstanceOf(TimeoutError);
    await tx.rollback();
    await tx[Symbol.asyncDispose]();
  });

  test('waits in rollback() for the end of one that was begun from outside', async () => {
    const release = bench.connection.holdNext('rollback');
    const tx = await bench.manager.begin({ timeoutMs: 500 });
    bench.clock.advance(500);
    let isDone = false;
    const done = tx.rollback().then(() => (isDone = true));
    await settled();
    expect(isDone).toBe(false);
    release();
    await done;
  });

  test('says when its rollback is not confirmed', async () => {
    bench.connection.failNext('rollback', new Error('io'));
    const tx = await bench.manager.begin();
    const error: TimeoutError = await failureOf(tx.rollback());
    expect(error).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', rollback: 'pending', timeoutMs: 1_000 });
    expect(bench.source.discarded).toBe(1);
  });

  test('refuses rollback() after a commit, and after an unknown outcome', async () => {
    const committed = await bench.manager.begin();
    await committed.commit();
    expect(await failureOf(committed.rollback())).toBeInstanceOf(TransactionClosedError);
    bench.connection.failNext('commit', new OutcomeUnknownError('lost'));
    const unknown = await bench.manager.begin();
    await failureOf(unknown.commit());
    await settled();
    const error: Error = await failureOf(unknown.rollback());
    expect(error.message).toMatch(/^Transaction #2 ended with an unknown outcome 0 ms ago/);
  });

  test('with an un-awaited call rolls back instead of committing', async () => {
    const tx = await bench.manager.begin();
    bench.connection.holdNext('set a 1');
    void tx.run('set a 1');
    expect(await failureOf(tx.commit())).toMatchObject({ code: 'ERR_MILLPOND_UNAWAITED_QUERY' });
    expect(tx.state).toBe('rolled-back');
  });
});

describe('flush()', () => {
  test('waits for all that was sent', async () => {
    const tx = await bench.manager.begin();
    const release = bench.connection.holdNext('set b 2');
    void tx.run('set a 1');
    void tx.run('set b 2');
    const flushed = tx.flush();
    release();
    await flushed;
    await tx.commit();
    expect(bench.committed).toEqual({ a: '1', b: '2' });
  });

  test('rejects with the first error', async () => {
    const tx = await bench.manager.begin();
    void tx.run('set a 1');
    void tx.run('fail 1');
    void tx.run('fail 2');
    expect(await failureOf(tx.flush())).toMatchObject({ message: 'fail 1 failed' });
    await tx.rollback();
  });

  test('rejects when the transaction is ended in the meantime', async () => {
    const tx = await bench.manager.begin({ timeoutMs: 500 });
    bench.connection.holdNext('set a 1');
    void tx.run('set a 1');
    const flushed = failureOf(tx.flush());
    await bench.clock.advanceAsync(500);
    expect(await flushed).toBeInstanceOf(TimeoutError);
    expect(await failureOf(tx.flush())).toBeInstanceOf(TransactionClosedError);
  });

  test('does not wait for a transaction inside it, which may be what calls it', async () => {
    await bench.transaction(() => bench.transaction((tx) => tx.flush()));
    expect(bench.log).toEqual(['begin', 'commit']);
  });
});

describe('commitAndContinue()', () => {
  test('commits in the middle and goes on with the same handle (J4, J6)', async () => {
    const tx = await bench.manager.begin();
    for (let i = 1; i <= 3; i++) {
      await tx.run(`set k${i} ${i}`);
      await tx.commitAndContinue();
    }
    await tx.run('set lost 1');
    await tx.rollback();
    expect(bench.committed).toEqual({ k1: '1', k2: '2', k3: '3' });
    expect(bench.source.requests).toHaveLength(1);
    expect(bench.manager.stats()).toEqual({ started: 4, committed: 3, rolledBack: 1, unknown: 0, active: 0 });
    expect(bench.events.map(([name]) => name.slice(12))).toEqual([
      'start',
      'commit',
      'start',
      'commit',
      'start',
      'commit',
      'start',
      'rollback',
    ]);
  });

  test('runs the callbacks of the part that is committed, and keeps none for the next', async () => {
    const seen: string[] = [];
    await bench.transaction(async (tx) => {
      tx.onCommit(() => seen.push('first part'));
      tx.onRollback(() => seen.push('never'));
      await tx.commitAndContinue();
      seen.push('between');
      tx.onCommit(() => seen.push('second part'));
    });
    expect(seen).toEqual(['first part', 'between', 'second part']);
  });

  test('gives each part a time of its own', async () => {
    const tx = await bench.manager.begin({ timeoutMs: 500 });
    for (let i = 0; i < 3; i++) {
      await bench.clock.advanceAsync(400);
      await tx.commitAndContinue();
    }
    await bench.clock.advanceAsync(500);
    expect(tx.state).toBe('rolled-back');
  });

  test('that fails ends the transaction', async () => {
    const error = new Error('deferred');
    bench.connection.failNext('commit', error);
    const failed = bench.transaction(async (tx) => {
      expect(await failureOf(tx.commitAndContinue())).toBe(error);
      expect(await failureOf(tx.run('set a 1'))).toBeInstanceOf(TransactionClosedError);
    });
    const closed: Error = await failureOf(failed);
    expect(closed).toBeInstanceOf(TransactionClosedError);
    expect(closed.cause).toBe(error);
  });

  test('whose next BEGIN fails leaves a transaction that has ended', async () => {
    const error = new Error('busy');
    const tx = await bench.manager.begin();
    await tx.run('set a 1');
    bench.connection.failNext('begin', error);
    await tx.commitAndContinue();
    await settled();
    expect(await failureOf(tx.run('set b 2'))).toMatchObject({ cause: error });
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('with an un-awaited call rolls back', async () => {
    const tx = await bench.manager.begin();
    bench.connection.holdNext('set a 1');
    void tx.run('set a 1');
    expect(await failureOf(tx.commitAndContinue())).toMatchObject({ code: 'ERR_MILLPOND_UNAWAITED_QUERY' });
  });

  test('refuses statements while COMMIT is under way', async () => {
    const release = bench.connection.holdNext('commit');
    const tx = await bench.manager.begin();
    const continued = tx.commitAndContinue();
    await settled();
    const error: Error = await failureOf(tx.run('set a 1'));
    expect(error.message).toMatch(/^Transaction #1 is being committed, so this call was not sent/);
    release();
    await continued;
    await tx.commit();
  });
});

describe('a transaction that is run', () => {
  test('cannot be ended by its handle', async () => {
    await bench.transaction(async (tx) => {
      expect(await failureOf(tx.commit())).toBeInstanceOf(UsageError);
      expect(await failureOf(tx.rollback())).toBeInstanceOf(UsageError);
      await tx[Symbol.asyncDispose]();
      expect(tx.state).toBe('active');
    });
  });

  test('offers the whole of Queryable', async () => {
    await bench.transaction(async (tx) => {
      await tx.run('set a 1');
      await tx.script('set b 2; set c 3');
      await tx.batch(['set d 4', 'set e 5']);
      expect(await tx.all('get a')).toEqual([{ value: '1' }]);
      expect(await tx.get('get b')).toBe('2');
      expect(await tx.json('get c')).toBe('3');
      const rows: unknown[] = [];
      for await (const row of tx.stream('rows')) rows.push(row);
      expect(rows).toEqual([{ row: 1 }, { row: 2 }, { row: 3 }]);
    });
    expect(bench.committed).toEqual({ a: '1', b: '2', c: '3', d: '4', e: '5' });
  });
});
