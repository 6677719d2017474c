import { expect, test } from 'vitest';
import { failureOf, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import { createTransactionalDecorator } from './transactional.ts';

const bench = new TransactionBench();
const Transactional = createTransactionalDecorator(() => bench);

class Jobs {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  @Transactional()
  async create(key: string, value: number): Promise<string | undefined> {
    await bench.run(`set ${this.#prefix}${key} ${value}`);
    return bench.manager.current()?.state;
  }

  @Transactional({ readOnly: true })
  async list(): Promise<boolean | undefined> {
    return bench.manager.current()?.readOnly;
  }

  @Transactional()
  async fail(): Promise<never> {
    await bench.run('set lost 1');
    throw new RangeError('mine');
  }
}

test('a decorated method runs in a transaction, with its own this (J3)', async () => {
  expect(await new Jobs('job').create('1', 2)).toBe('active');
  expect(bench.committed).toEqual({ job1: '2' });
});

test('a decorated method takes options', async () => {
  expect(await new Jobs('job').list()).toBe(true);
});

test('a decorated method that fails is rolled back', async () => {
  expect(await failureOf(new Jobs('job').fail())).toBeInstanceOf(RangeError);
  expect(bench.committed).toEqual({ job1: '2' });
  expect(bench.faults()).toEqual([]);
});

test('a decorated method that calls another joins it', async () => {
  const jobs = new Jobs('inner');
  await bench.transaction(() => jobs.create('1', 1));
  expect(bench.manager.stats().started).toBe(4);
});
