import { describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { expectAtRest } from '../../../src/testing/index.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const QUIET = { name: false, log: 'silent' } as const;
const NOW = 'select now()::text';
const SLEEP = 'select pg_sleep($1)::text';
const RATIO = 'select 10 / $1::int';

/** A database that knows the texts to be cheap. */
async function openKnowing(...texts: readonly string[]): Promise<Database> {
  const db = await openDatabase(await sharedPostgresDatabase(), QUIET);
  for (const text of texts) {
    const params = text.includes('$1') ? [text === SLEEP ? 0 : 1] : [];
    for (let round = 0; round < 4; round += 1) await db.value(text, params);
  }
  return db;
}

/** Some quick reads asked in one turn, with what is asked among them. */
async function among<T>(db: Database, ask: () => Promise<T>): Promise<{ quick: unknown[]; asked: T }> {
  const before = [1, 2, 5].map((n) => db.value(RATIO, [n]));
  const asking = ask();
  const behind = [1, 2, 5].map((n) => db.value(RATIO, [n]));
  const quick = await Promise.all([...before, ...behind]);
  return { quick, asked: await asking };
}

const QUICK = [10, 5, 2, 10, 5, 2];

describe('reads of one turn', () => {
  test('go as one', async () => {
    await using db = await openKnowing(NOW);
    let different = 10;
    for (let round = 0; different === 10 && round < 100; round += 1) {
      const times = await Promise.all(Array.from({ length: 10 }, () => db.value(NOW)));
      different = new Set(times).size;
    }
    expect(different).toBeLessThan(10);
  });

  test('have their own errors', async () => {
    await using db = await openKnowing(RATIO);
    const failing = () => db.value(RATIO, [0]).catch((error: unknown) => error);
    const { quick, asked } = await among(db, failing);
    expect(quick).toEqual(QUICK);
    expect(asked).toMatchObject({ name: 'QueryExecutionError', message: expect.stringMatching(/zero/) });
    const refused = await among(db, () =>
      db.value('select 10 / $1::intt', [1]).catch((error: unknown) => error),
    );
    expect(refused.quick).toEqual(QUICK);
  });

  test('have their own forms: one whose rows cannot be given leaves the others theirs', async () => {
    const twice = 'select 1 as one, 2 as one';
    await using db = await openKnowing(RATIO, twice);
    const { quick, asked } = await among(db, () => db.get(twice).catch((error: unknown) => error));
    expect(quick).toEqual(QUICK);
    expect(asked).toMatchObject({ code: 'ERR_MILLPOND_DUPLICATE_COLUMN' });
  });

  test('do not wait for a slow one among them, which is answered too', async () => {
    await using db = await openKnowing(RATIO, SLEEP);
    const order: string[] = [];
    const { quick } = await among(db, async () => {
      const slow = db.value(SLEEP, [1.5]).then(() => order.push('slow'));
      await Promise.all([1, 2, 5].map((n) => db.value(RATIO, [n]))).then(() => order.push('quick'));
      await slow;
    });
    expect(quick).toEqual(QUICK);
    expect(order).toEqual(['quick', 'slow']);
    await expectAtRest(db);
  });

  test('have their own limits', async () => {
    await using db = await openKnowing(RATIO, SLEEP);
    const { quick, asked } = await among(db, () =>
      db.value(SLEEP, [60], { timeoutMs: 400 }).catch((error: unknown) => error),
    );
    expect(quick).toEqual(QUICK);
    expect(asked).toMatchObject({ name: 'TimeoutError' });
    const stop = new AbortController();
    const aborted = await among(db, () => {
      const asking = db.value(SLEEP, [60], { signal: stop.signal }).catch((error: unknown) => error);
      stop.abort(new Error('enough'));
      return asking;
    });
    expect(aborted.quick).toEqual(QUICK);
    expect(aborted.asked).toMatchObject({ message: 'enough' });
  });

  test('go on when one of more than can be under way is given up as it is sent', async () => {
    await using db = await openKnowing(RATIO);
    const unanswered = Symbol('unanswered');
    let ending: unknown;
    // On a slow machine the statement may seem to be slow; then it is sent at once, and may be answered.
    for (let round = 0; ending !== 'gone' && round < 20; round += 1) {
      const client = new AbortController();
      const given = db.value(RATIO, [1], { signal: client.signal }).catch((error: unknown) => error);
      const asked = Array.from({ length: 1_000 }, () => db.value(RATIO, [2]));
      client.abort('gone');
      ending = await given;
      const limit = new Promise((resolve) => setTimeout(resolve, 20_000, [unanswered]).unref());
      expect(new Set((await Promise.race([Promise.all(asked), limit])) as unknown[])).toEqual(new Set([5]));
    }
    expect(ending).toBe('gone');
    await expectAtRest(db);
  });

  test('are answered by another connection when theirs is lost', async () => {
    await using db = await openKnowing(RATIO, SLEEP);
    await using lease = await db.acquire();
    const end = `select count(pg_terminate_backend(pid))::int from pg_stat_activity
      where query = $1 and state = 'active' and datname = current_database()`;
    const { quick, asked } = await among(db, async () => {
      const sleeping = db.value(SLEEP, [1]);
      while ((await lease.connection.value<number>(end, [SLEEP])) === 0);
      return sleeping;
    });
    expect([quick, asked]).toEqual([QUICK, '']);
  });
});
