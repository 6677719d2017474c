import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../src/index.ts';
import { expectAtRest } from '../../fixtures/scratch-database.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({ replicas: 2 });
});
afterAll(() => server.stop());

test(
  'no read after a write misses it, while replicas are paused, resumed and killed (C45, B7)',
  async () => {
    const db = await openDatabase({
      ...{ name: false, log: 'silent', url: server.url, readUrls: server.replicas.map(({ url }) => url) },
      replica: { checkIntervalMs: 50, waitMs: 20 },
    });
    onTestFinished(() => db.close({ timeoutMs: 1_000 }));
    await db.script('create table pairs (flow int, n int, primary key (flow, n))');
    const random = randomFrom(seed);
    const counts = { pairs: 0, stale: 0, fromReplica: 0 };
    let isOver = false;
    const trouble = (async () => {
      for (let step = 0; !isOver; step++) {
        const replica = server.replicas[step % 2]!;
        await replica.query('select pg_wal_replay_pause()');
        await sleep(random() * 40);
        if (step % 5 === 4) {
          await replica.halt('kill');
          await replica.start();
        } else await replica.query('select pg_wal_replay_resume()');
        await sleep(random() * 40);
      }
      await Promise.all(server.replicas.map((replica) => replica.query('select pg_wal_replay_resume()')));
    })();
    const each = scaled(40);
    const flows = Array.from({ length: 6 }, (_, flow) =>
      db.readYourWrites(async () => {
        for (let n = 1; n <= each; n++) {
          if (n % 2 === 0) await db.run('insert into pairs values ($1, $2)', [flow, n]);
          else await db.transaction((tx) => tx.run('insert into pairs values ($1, $2)', [flow, n]));
          const text = 'select count(*)::int as n, pg_is_in_recovery() as replica from pairs where flow = $1';
          const seen = await db.get<{ n: number; replica: boolean }>(text, [flow], { target: 'replica' });
          counts.pairs++;
          if (seen!.n < n) counts.stale++;
          if (seen!.replica) counts.fromReplica++;
        }
      }),
    );
    await Promise.all(flows);
    isOver = true;
    await trouble;
    console.log(`${JSON.stringify(counts)} (seed ${seed})`);
    expect(counts.stale).toBe(0);
    expect(counts.fromReplica).toBeGreaterThan(0);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);
