import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { getDb } from '../../database/index.ts';
import { ConnectionError, MillpondError, UsageError } from '../../errors/index.ts';
import type { Behaviours } from '../behaviour.ts';
import { addThing, CALLS, countThings, eventually, rejection, rowsOf, thrownBy } from './expectations.ts';

const NAME = 'contract';

/** What keeps a process alive, or could: threads, sockets, timers. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

export const LIFECYCLE_BEHAVIOURS: Behaviours = {
  'refuses every call once it is closed, and closing twice is closing once (B14)': {
    options: {},
    check: async ({ db }) => {
      const closing = [db.close(), db.close(), db[Symbol.asyncDispose]()];
      await Promise.all(closing);
      for (const [kind, call] of Object.entries(CALLS)) {
        const error = await rejection(call(db, 'select 1'), ConnectionError);
        assert.equal(error.code, 'ERR_MILLPOND_CLOSED', kind);
      }
      await rejection(
        db.transaction(() => undefined),
        ConnectionError,
      );
      await rejection(db.begin(), ConnectionError);
      await rejection(db.acquire(), ConnectionError);
      assert.equal((await db.health()).status, 'down');
      assert.deepEqual([db.stats().pool.size, db.stats().transactions.active], [0, 0]);
    },
  },

  'does not close, nor copy itself, on options that it does not have': async ({ db }) => {
    const closing = await rejection(db.close({ timeout: 5 } as unknown as object), UsageError);
    assert.match(closing.message, /close\(\) has no option "timeout"\. Did you mean timeoutMs\?/);
    await rejection(db.close({ timeoutMs: Number.NaN }), UsageError);
    await rejection(db.backup('copy.db', { overwrit: true } as unknown as object), UsageError);
    await rejection(db.backup(5 as unknown as string), UsageError);
    assert.equal(await db.value('select 1'), 1);
  },

  'lets what was accepted finish when it closes (B14)': {
    options: {},
    check: async ({ db, open }) => {
      const calls = [1, 2, 3].map((id) => addThing(db, id));
      const rows = rowsOf(db.stream('select id from things'));
      const transaction = db.transaction(async (tx) => {
        await addThing(tx, 4);
        await sleep(30);
        await addThing(tx, 5);
        return countThings(tx);
      });
      await db.close();
      await Promise.all(calls);
      // Calls of different kinds may overtake each other: two things are its own.
      assert.ok((await transaction) >= 2);
      assert.ok((await rows).length <= 5);
      assert.ok(await open());
    },
  },

  'rolls back what does not end in time, and closes all the same (B14)': {
    options: {},
    check: async ({ db }) => {
      const tx = await db.begin();
      await addThing(tx, 1);
      const lease = await db.acquire({ timeoutMs: 50 }).catch(() => undefined);
      const startedAt = performance.now();
      await db.close({ timeoutMs: 50 });
      assert.ok(performance.now() - startedAt < 3_000);
      assert.ok((await thrownBy(tx.commit())) instanceof MillpondError);
      lease?.release();
      assert.equal(db.stats().pool.leased, 0);
    },
  },

  'leaves no thread, socket or timer behind when it closes (B14)': async ({ open }) => {
    await (await open()).close();
    const before = resources();
    const db = await open();
    await db.script('create table t (id integer primary key)');
    await Promise.all(Array.from({ length: 40 }, () => db.json('select 1 as one')));
    for await (const _ of db.stream('select 1 as one')) break;
    await db.transaction(() => db.run('insert into t (id) values (1)'));
    await db.close();
    // The test runner has timers and pipes of its own, which come and go.
    const isAsBefore = () =>
      Object.entries(resources()).every(([kind, count]) => count <= (before[kind] ?? 0));
    await eventually(isAsBefore, `the end of what was opened; before there was ${JSON.stringify(before)}`);
  },

  'is found by its name while it is open (J2)': {
    options: { name: NAME },
    check: async ({ db, open }) => {
      assert.equal(getDb(NAME), db);
      assert.throws(
        () => getDb('another'),
        (error) => error instanceof UsageError && error.message.includes(`"${NAME}"`),
      );
      await rejection(open({ name: NAME }), UsageError);
      const unnamed = await open({ name: false });
      assert.notEqual(getDb(NAME), unnamed);
      await db.close();
      assert.throws(() => getDb(NAME), UsageError);
      const again = await open({ name: NAME });
      assert.equal(getDb(NAME), again);
    },
  },

  'is itself alone: another one shares nothing with it (J7)': async ({ db, open }) => {
    const other = await open();
    await other.script('create table things (id integer primary key, name text not null unique)');
    await db
      .transaction(async () => {
        await addThing(db, 1);
        await addThing(other, 1);
        await addThing(other, 2);
        throw new Error('undo');
      })
      .catch(() => undefined);
    assert.deepEqual([await countThings(db), await countThings(other)], [0, 2]);
    await other.close();
    assert.equal(await db.value('select 1'), 1);
  },

  'says how it is (P7)': async ({ db }) => {
    const health = await db.health();
    assert.equal(health.status, 'up');
    assert.ok(health.checks.length > 0);
    for (const { side, status, latencyMs } of health.checks) {
      assert.deepEqual([side, status, latencyMs >= 0], ['primary', 'up', true]);
    }
  },

  'counts what it does (S4, B20)': async ({ db }) => {
    await addThing(db, 1);
    await db.all('select 1 union all select 2');
    await thrownBy(db.all('select missing from nowhere'));
    const { name, dialect, pool, queries, transactions } = db.stats();
    assert.equal(typeof name, 'string');
    assert.equal(dialect, db.dialect);
    const counts = [
      'size',
      'idle',
      'leased',
      'waiting',
      'max',
      'overflow',
      'created',
      'retired',
      'timeouts',
    ] as const;
    for (const key of counts) assert.ok(Number.isInteger(pool[key]) && pool[key] >= 0, key);
    assert.equal(pool.size, pool.leased + pool.idle);
    assert.equal(pool.size, pool.created - pool.retired);
    assert.deepEqual(Object.keys(pool.acquireMs), ['p50', 'p95', 'p99', 'max']);
    assert.ok(queries.count >= 3 && queries.errors >= 1 && queries.rows >= 3 && queries.totalMs > 0);
    assert.deepEqual(Object.keys(transactions).sort(), [
      'active',
      'committed',
      'rolledBack',
      'started',
      'unknown',
    ]);
  },
};
