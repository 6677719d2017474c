import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueryExecutionError, TimeoutError, TransactionClosedError, UsageError } from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, numbersUpTo, rejection, rowsOf, thrownBy } from './expectations.ts';

/** Far more than fits any memory, if somebody tried. */
const ENDLESS = numbersUpTo(2_000_000_000);
const WIDE_CHARACTERS = 20_000;
const MOST_MEMORY_BYTES = 120_000_000;

interface Numbered {
  readonly i: number;
}

export const STREAM_BEHAVIOURS: Behaviours = {
  'gives every row once, in order': async ({ db }) => {
    let expected = 0;
    for await (const { i } of db.stream<Numbered>(numbersUpTo(10_000))) {
      expected += 1;
      assert.equal(Number(i), expected);
    }
    assert.equal(expected, 10_000);
    assert.deepEqual(await rowsOf(db.stream('select id from things')), []);
  },

  'starts with the first row asked for': async ({ db }) => {
    const stream = db.stream('select name from things');
    await addThing(db, 1, 'late');
    assert.deepEqual(await rowsOf(stream), [{ name: 'late' }]);
  },

  'that is left early gives its connection back (S3)': async ({ db }) => {
    for (let round = 0; round < 10; round += 1) {
      for await (const { i } of db.stream<Numbered>(ENDLESS)) if (Number(i) >= 10) break;
    }
  },

  'whose consumer throws gives its connection back, and passes the error on (B11)': async ({ db }) => {
    const mine = new Error('mine');
    const consume = async () => {
      for await (const _ of db.stream(ENDLESS)) throw mine;
    };
    assert.equal(await thrownBy(consume()), mine);
  },

  'that was closed before it started never runs': async ({ db }) => {
    const stream = db.stream("insert into things (id, name) values (1, 'a') returning id");
    await stream.return?.();
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
    assert.equal(await db.value('select count(*) from things'), 0);
  },

  'makes no row before it is wanted: its memory is bounded': async ({ db }) => {
    const wide = 'w'.repeat(WIDE_CHARACTERS);
    const text = `${numbersUpTo(2_000_000_000, 'i, :wide || i as wide')}`;
    const before = process.memoryUsage().rss;
    const stream = db.stream<Numbered>(text, { wide });
    await stream.next();
    await sleep(400);
    await stream.next();
    const grown = process.memoryUsage().rss - before;
    await stream.return?.();
    assert.ok(grown < MOST_MEMORY_BYTES, `grew by ${Math.round(grown / 1e6)} MB for two rows`);
  },

  'answers requests in the order in which they were made': async ({ db }) => {
    const stream = db.stream<Numbered>(numbersUpTo(1_000));
    const results = await Promise.all(Array.from({ length: 1_000 }, () => stream.next()));
    assert.deepEqual(
      results.map(({ value }) => Number((value as Numbered).i)),
      Array.from({ length: 1_000 }, (_, index) => index + 1),
    );
    assert.equal((await stream.next()).done, true);
  },

  'rejects its first row with what is wrong, and has ended then': async ({ db }) => {
    const broken = db.stream('select missing from nowhere');
    await rejection(broken.next(), QueryExecutionError);
    assert.equal((await broken.next()).done, true);
    await rejection(db.stream('select :a', {}).next(), UsageError);
  },

  'fails in the middle where the engine does, and never gives what comes after': async ({ db }) => {
    const overflow = db.dialect === 'sqlite' ? 'abs(-9223372036854775807 - (i / 1000))' : '1 / (1000 - i)';
    const stream = db.stream<Numbered>(numbersUpTo(2_000, `i, ${overflow} as x`));
    let read = 0;
    const consume = async () => {
      for await (const _ of stream) read += 1;
    };
    await rejection(consume(), QueryExecutionError);
    assert.ok(read < 1_000, `read ${read} rows, and row 1000 cannot be`);
  },

  'shows one moment: rows written while it is read are not in it (B5)': async ({ db }) => {
    await addThing(db, 1);
    await addThing(db, 2);
    const ids: number[] = [];
    for await (const { id } of db.stream<{ id: number }>('select id from things order by id')) {
      ids.push(id);
      await addThing(db, id + 10);
    }
    assert.deepEqual(ids, [1, 2]);
  },

  'leaves room for other calls while it is read (S1)': async ({ db }) => {
    const stream = db.stream<Numbered>(ENDLESS);
    await stream.next();
    await addThing(db, 1);
    assert.equal(await db.value('select count(*) from things'), 1);
    await stream.return?.();
  },

  'takes its turn where there are more of them than connections': {
    options: { pool: { max: 2 } },
    check: async ({ db }) => {
      const counts = await Promise.all(
        Array.from({ length: 12 }, async () => (await rowsOf(db.stream(numbersUpTo(600)))).length),
      );
      assert.deepEqual(
        counts,
        Array.from({ length: 12 }, () => 600),
      );
    },
  },

  'of a transaction sees what it wrote, and ends with it (B8)': async ({ db }) => {
    const streams: AsyncIterableIterator<unknown>[] = [];
    await db.transaction(async (tx) => {
      await addThing(tx, 1, 'mine');
      assert.deepEqual(await rowsOf(tx.stream('select name from things')), [{ name: 'mine' }]);
      streams.push(tx.stream('select name from things'));
    });
    await rejection(streams[0]!.next(), TransactionClosedError);
  },

  'that nobody reads any more is closed, and says so to whoever comes back': {
    options: { idleInTransactionTimeoutMs: 100 },
    check: async ({ db }) => {
      const stream = db.stream<Numbered>(ENDLESS);
      const first = await stream.next();
      assert.equal(first.done, false);
      await sleep(300);
      await rejection(rowsOf(stream), TimeoutError);
    },
  },
};
