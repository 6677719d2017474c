import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { MillpondError, OutcomeUnknownError, type Database } from '../../../src/index.ts';
import { expectAtRest, outcomes } from '../../fixtures/scratch-database.ts';
import { runningTime } from '../../fixtures/running-time.ts';
import { openPostgresAt } from '../../fixtures/scratch-postgres.ts';
import { scaled, scaledTimeoutMs } from '../../fixtures/scale.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { startTcpProxy, type Cut, type TcpProxy } from '../../servers/tcp-proxy.ts';

const SCHEMA = 'create table t (id bigserial primary key, tag text)';

interface Bench {
  readonly proxy: TcpProxy;
  /** Through the proxy. */
  readonly db: Database;
  /** Past it. */
  readonly direct: Database;
}

async function openBench(options: Parameters<typeof openPostgresAt>[2] = {}): Promise<Bench> {
  const url = await sharedPostgresDatabase();
  const proxy = await startTcpProxy({ port: Number(new URL(url).port) });
  onTestFinished(() => proxy.close());
  const direct = await openPostgresAt(url, SCHEMA);
  return { proxy, direct, db: await openPostgresAt(proxy.urlFor(url), '', options) };
}

test(
  'a link cut at any byte of COMMIT or of its answer: the label is what the table shows (C39)',
  async () => {
    const { proxy, db, direct } = await openBench({ pool: { max: 2, min: 0 } });
    const counts = { committed: 0, rejected: 0, unknown: 0, wrong: 0 };
    const cuts = scaled(60);
    for (let round = 0; round < cuts; round++) {
      const tag = `cut ${round}`;
      const toServer = round % 2 === 0;
      const how: Cut['how'] = round % 3 === 0 ? 'finish' : 'reset';
      // Of the message to the server, 'commit' itself and the Execute and Sync behind it; of the answer, its tag.
      const cut = toServer
        ? {
            direction: 'to-server' as const,
            pattern: Buffer.from('commit\0'),
            keep: ((round * 3) % 60) - 15,
            how,
          }
        : { direction: 'to-client' as const, pattern: Buffer.from('COMMIT\0'), keep: (round % 24) - 8, how };
      const work = db.transaction(async (tx) => {
        await tx.run('insert into t (tag) values ($1)', [tag]);
        void proxy.cutOnce(cut);
      });
      const [end] = await outcomes([work]);
      await sleep(20);
      const rows = (await direct.value<number>('select count(*)::int from t where tag = $1', [tag]))!;
      if (end instanceof OutcomeUnknownError) counts.unknown++;
      else if (end instanceof Error) {
        counts.rejected++;
        if (rows !== 0) counts.wrong++;
      } else {
        counts.committed++;
        if (rows !== 1) counts.wrong++;
      }
      proxy.restore();
    }
    console.log(`${cuts} cuts: ${JSON.stringify(counts)}`);
    expect(counts.wrong).toBe(0);
    expect(counts.committed + counts.rejected + counts.unknown).toBe(cuts);
    // Its number had come with the answer to its write: the server could be asked what became of it.
    expect(counts.unknown).toBe(0);
    expect(counts.committed).toBeGreaterThanOrEqual(cuts / 2);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'a single write whose answer is cut off is never called undone when it is there (C39)',
  async () => {
    const { proxy, db, direct } = await openBench({ pool: { max: 2, min: 0 } });
    const counts = { acknowledged: 0, rejected: 0, unknown: 0, wrong: 0 };
    const cuts = scaled(40);
    for (let round = 0; round < cuts; round++) {
      const tag = `single ${round}`;
      const side = round % 2 === 0 ? 'to-server' : 'to-client';
      const pattern = Buffer.from(side === 'to-server' ? tag : 'INSERT 0 1');
      void proxy.cutOnce({ direction: side, pattern, keep: (round * 5) % 40, how: 'reset' });
      const [end] = await outcomes([db.run('insert into t (tag) values ($1)', [tag])]);
      await sleep(20);
      const rows = (await direct.value<number>('select count(*)::int from t where tag = $1', [tag]))!;
      if (end instanceof OutcomeUnknownError) counts.unknown++;
      else if (end instanceof MillpondError) {
        counts.rejected++;
        if (rows !== 0) counts.wrong++;
      } else {
        counts.acknowledged++;
        if (rows !== 1) counts.wrong++;
      }
      proxy.restore();
    }
    console.log(`${cuts} cuts: ${JSON.stringify(counts)}`);
    expect(counts.wrong).toBe(0);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'in a black hole every call ends within its limit, and the first after it works at once (C40)',
  async () => {
    const limitMs = 300;
    const { proxy, db } = await openBench({
      queryTimeoutMs: limitMs,
      pool: { max: 4, min: 0, acquireTimeoutMs: limitMs, createTimeoutMs: 2_000 },
    });
    // A slow machine may need longer than that for the first one.
    await expect.poll(() => db.value('select 1')).toBe(1);
    proxy.blackHole();
    let longestMs = 0;
    for (let call = 0; call < scaled(8); call++) {
      using running = runningTime();
      const [end] = await outcomes([
        call % 2 === 0 ? db.value('select 1') : db.transaction((tx) => tx.value('select 1')),
      ]);
      longestMs = Math.max(longestMs, running.ms);
      expect(end).toBeInstanceOf(MillpondError);
    }
    proxy.restore();
    using restored = runningTime();
    for (;;) {
      const [end] = await outcomes([db.value('select 1')]);
      if (end === 1) break;
      expect(restored.ms).toBeLessThan(5_000);
      await sleep(20);
    }
    const recoveryMs = restored.ms;
    console.log(
      `p100 ${longestMs.toFixed(0)} ms at a limit of ${limitMs} ms; recovery ${recoveryMs.toFixed(0)} ms`,
    );
    expect(longestMs).toBeLessThan(2 * limitMs + 250 + 1_000);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test('what may be committed, though nobody can say so, is reported as a change of data (C39)', async () => {
  const { proxy, db } = await openBench({ pool: { max: 2, min: 0 } });
  let changes = 0;
  db.on('data:change', () => changes++);
  const work = async (): Promise<void> => {
    await db.transaction(async (tx) => {
      // The number of a transaction comes with a write that is a statement by itself; else with its COMMIT.
      await tx.batch([['insert into t (tag) values ($1)', ['told of']]]);
      void proxy.cutOnce({
        direction: 'to-server',
        pattern: Buffer.from('commit\0'),
        keep: 60,
        how: 'reset',
      });
    });
  };
  expect((await outcomes([work()]))[0]).toBeInstanceOf(OutcomeUnknownError);
  expect(changes).toBe(1);
  const committed = db.transaction(async (tx) => {
    await tx.run('insert into t (tag) values ($1)', ['told of']);
    void proxy.cutOnce({ direction: 'to-client', pattern: Buffer.from('COMMIT\0'), how: 'reset' });
  });
  expect((await outcomes([committed]))[0]).toBeUndefined();
  expect(changes).toBeGreaterThan(1);
  await expectAtRest(db);
});

test('slow, jittering and dripping links lose nothing and mix nothing up (C39)', async () => {
  const { proxy, db } = await openBench();
  proxy.delay(15, 15);
  const echo = (n: number): Promise<unknown> => db.value('select $1::int', [n]);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => echo(n)));
  expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  proxy.restore();
  proxy.drip(2_000);
  expect(await db.value("select repeat('x', 500)")).toBe('x'.repeat(500));
  await expectAtRest(db);
});
