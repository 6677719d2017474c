import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { ReadOnlyError, withoutTransaction, type Database, type Transaction } from '../../src/index.ts';
import { expectAtRest, outcomes, rejection, scratchForAll } from '../fixtures/scratch-database.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';

const SCHEMA = `create table counter (id integer primary key, n int not null);
  create table account (id integer primary key, balance int not null)`;
const CALLERS = 20;

/** Read, think, write: the shape that fails at once on a deferred transaction when somebody commits in between. */
async function increment(tx: Transaction, thinkMs: number): Promise<void> {
  const n = await tx.value<number>('select n from counter where id = 1');
  if (thinkMs > 0) await sleep(thinkMs);
  await tx.run('update counter set n = ? where id = 1', [n! + 1]);
}

/** One increment of another program; it does not wait, since the thread that holds the lock waits for this one. */
function hasIncremented(other: DatabaseSync): boolean {
  try {
    other.exec('begin immediate; update counter set n = n + 1 where id = 1; commit');
    return true;
  } catch {
    return false;
  }
}

describe('a transaction that reads before it writes', () => {
  const scratch = scratchForAll(SCHEMA);
  afterEach(() => expectAtRest(scratch.db));

  test(
    'never finds its snapshot too old, and loses no update (C17, T2)',
    async () => {
      const { db } = scratch;
      await db.run('insert into counter values (1, 0)');
      const count = scaled(25);
      const caller = async (index: number): Promise<void> => {
        for (let round = 0; round < count; round += 1) {
          await db.transaction((tx) => increment(tx, (index + round) % 7 === 0 ? 1 : 0));
        }
      };
      // Beside them: writes of the group commit, reads, and the same work of another program.
      const other = new DatabaseSync(scratch.path);
      other.exec('pragma busy_timeout = 0');
      let ofTheOther = 0;
      const elsewhere = async (): Promise<void> => {
        while (ofTheOther < count) {
          if (hasIncremented(other)) ofTheOther += 1;
          await sleep(1);
        }
      };
      const singles = async (): Promise<void> => {
        for (let round = 0; round < count; round += 1)
          await db.run('update counter set n = n + 1 where id = 1');
      };
      const told = await outcomes([
        ...Array.from({ length: CALLERS }, (_, index) => caller(index)),
        elsewhere(),
        singles(),
      ]);
      expect(told.filter((one) => one instanceof Error)).toEqual([]);
      expect(await db.value('select n from counter where id = 1')).toBe(CALLERS * count + count + ofTheOther);
      other.close();
    },
    scaledTimeoutMs(),
  );

  test('cannot begin as a reader and become a writer (C17, J5)', async () => {
    const { db } = scratch;
    const upgrades: Record<string, (tx: Transaction) => Promise<unknown>> = {
      run: (tx) => tx.run('update counter set n = n + 1'),
      all: (tx) => tx.all('update counter set n = n + 1 returning n'),
      batch: (tx) => tx.batch(['update counter set n = n + 1']),
      script: (tx) => tx.script('update counter set n = n + 1'),
      stream: (tx) => tx.stream('update counter set n = n + 1 returning n').next(),
      'a savepoint': (tx) => tx.transaction((inner) => inner.run('update counter set n = n + 1')),
    };
    const before = await db.value('select n from counter where id = 1');
    for (const [name, upgrade] of Object.entries(upgrades)) {
      const refused = db.transaction(
        async (tx) => {
          await tx.value('select n from counter where id = 1');
          await withoutTransaction(() => db.run('insert into account values (null, 0)'));
          await upgrade(tx);
        },
        { readOnly: true },
      );
      expect(await rejection(refused), name).toBeInstanceOf(ReadOnlyError);
    }
    expect(await db.value('select n from counter where id = 1')).toBe(before);
  });

  test('moves money between accounts, and the sum is right for every reader at every moment (C17, B5)', async () => {
    const { db } = scratch;
    const ACCOUNTS = 8;
    await db.batch(
      Array.from(
        { length: ACCOUNTS },
        (_, id) => ['insert into account values (?, 100)', [id + 1000]] as const,
      ),
    );
    const sum = 'select sum(balance) from account where id >= 1000';
    let isOver = false;
    const transfers = Array.from({ length: 6 }, (_, index) => transferOften(db, index, scaled(30), ACCOUNTS));
    const readers = Array.from({ length: 4 }, async (_, index) => {
      const sums = new Set<unknown>();
      while (!isOver) {
        if (index % 2 === 0) sums.add(await db.value(sum));
        else sums.add(await db.transaction((tx) => sumOneByOne(tx), { readOnly: true }));
        await sleep(1);
      }
      return [...sums];
    });
    const told = await outcomes(transfers);
    isOver = true;
    expect(told.filter((one) => one instanceof Error)).toEqual([]);
    for (const sums of await Promise.all(readers)) expect(sums).toEqual([ACCOUNTS * 100]);
  });
});

async function transferOften(db: Database, index: number, count: number, accounts: number): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    const [from, to] = [1000 + ((index + round) % accounts), 1000 + ((index * 3 + round * 5 + 1) % accounts)];
    await db.transaction(async (tx) => {
      const balance = (await tx.value<number>('select balance from account where id = ?', [from]))!;
      const amount = Math.min(balance, 7);
      await tx.run('update account set balance = balance - ? where id = ?', [amount, from]);
      await tx.run('update account set balance = balance + ? where id = ?', [amount, to]);
    });
  }
}

/** Several statements, one snapshot. */
async function sumOneByOne(tx: Transaction): Promise<number> {
  let sum = 0;
  for (const { id } of await tx.all<{ id: number }>('select id from account where id >= 1000')) {
    sum += (await tx.value<number>('select balance from account where id = ?', [id]))!;
  }
  return sum;
}
