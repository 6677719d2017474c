import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

const READ = 'select v from t where id = $1';
const WRITE = 'update t set v = v + 1 where id = $1';
/** Each way, so that whatever the machine does meanwhile is short beside it. */
const LATENCY_MS = 50;

interface Phases {
  readonly placement: string;
  readonly durationMs: number;
  readonly waitedMs?: number;
  readonly ranMs?: number;
}

async function openBehindProxy(latencyMs: number): Promise<{ db: Database; ended: Phases[] }> {
  const url = await sharedPostgresDatabase();
  const proxy = await startTcpProxy({ port: Number(new URL(url).port) });
  onTestFinished(() => proxy.close());
  proxy.delay(latencyMs);
  const db = await openDatabase(proxy.urlFor(url), { name: false, log: 'silent' });
  onTestFinished(() => db.close());
  await db.script(
    'create table t (id int primary key, v int); insert into t select g, 0 from generate_series(1, 40) g',
  );
  const ended: Phases[] = [];
  db.on('query:end', (event) => void ended.push(event));
  return { db, ended };
}

/** On a busy machine any call can be slow once, and then goes elsewhere for a while. */
const PATIENCE = { timeout: 20_000, interval: 1 };

const IDS = Array.from({ length: 32 }, (_, index) => index + 1);

describe('the time of a statement (P8)', () => {
  test('is told in its parts, wherever it runs', async () => {
    const { db, ended } = await openBehindProxy(0);
    for (let round = 0; round < 4; round += 1) await db.value(READ, [1]);
    const placesOf = async () => {
      await Promise.all(IDS.map((id) => db.value(READ, [id])));
      await Promise.all(IDS.map((id) => db.run(WRITE, [id])));
      return [...new Set(ended.map(({ placement }) => placement))].toSorted();
    };
    await expect.poll(placesOf, PATIENCE).toEqual(['connection', 'grouped', 'worker']);
    await db.transaction((tx) => tx.run(WRITE, [1]));
    await db.value('select pg_sleep(0.2)::text');
    for (const { durationMs, waitedMs, ranMs } of ended) {
      expect(waitedMs! + ranMs!).toBeLessThanOrEqual(durationMs);
      expect(Math.min(waitedMs!, ranMs!)).toBeGreaterThanOrEqual(0);
    }
    expect(ended.at(-1)!.ranMs).toBeGreaterThan(100);
  });

  test('inside a server that is far away has nothing of the way, also after calls that went together', async () => {
    const { db, ended } = await openBehindProxy(LATENCY_MS);
    for (let round = 0; round < 4; round += 1) await db.value(READ, [1]);
    for (let round = 0; round < 3; round += 1) await Promise.all(IDS.map((id) => db.value(READ, [id])));
    ended.length = 0;
    for (let round = 0; round < 8; round += 1) await db.value(READ, [1]);
    const least = (times: (phases: Phases) => number) => Math.min(...ended.map(times));
    expect(least(({ durationMs }) => durationMs)).toBeGreaterThanOrEqual(2 * LATENCY_MS - 2);
    expect(least(({ ranMs }) => ranMs!)).toBeLessThan(LATENCY_MS);
  });

  test('far away does not keep cheap reads from sharing a connection (X2)', async () => {
    const { db } = await openBehindProxy(LATENCY_MS);
    for (let round = 0; round < 4; round += 1) await db.value(READ, [1]);
    for (let round = 0; round < 3; round += 1) await Promise.all(IDS.map((id) => db.value(READ, [id])));
    const sharedOf = async () => {
      const before = db.stats().postgres!.shared;
      for (let round = 0; round < 5; round += 1) await Promise.all(IDS.map((id) => db.value(READ, [id])));
      return db.stats().postgres!.shared - before;
    };
    await expect.poll(sharedOf, PATIENCE).toBeGreaterThan(IDS.length * 2);
  });
});
