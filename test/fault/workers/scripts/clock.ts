import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../../src/index.ts';

/*
 * Every kind of limit while the wall clock jumps: none passes early, and none is missed. In an empty database,
 * of whose URL it is told, or in a file of its own.
 */

const LIMIT_MS = 20_000;
const SHORT_MS = 150;
const ENDLESS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000000) select count(*) from n';

const folder = mkdtempSync(join(tmpdir(), 'millpond-clock-'));
const db = await openDatabase({
  url: process.argv[2] ?? `sqlite:${join(folder, 'a.db')}`,
  name: false,
  log: 'silent',
  queryTimeoutMs: LIMIT_MS,
  transactionTimeoutMs: LIMIT_MS,
  idleInTransactionTimeoutMs: LIMIT_MS,
  healthCheck: { intervalMs: 100 },
  slowQueryMs: LIMIT_MS,
  pool: { leakAfterMs: LIMIT_MS },
});
await db.script('create table item (id integer)');
const alarms: string[] = [];
for (const event of ['pool:leak', 'health:down', 'transaction:held-too-long', 'query:slow'] as const)
  db.on(event, () => alarms.push(event));

const jumps = new Set(
  Array.from({ length: 10 }, () => Math.round((Date.now() - performance.timeOrigin) / 1e6)),
);
let calls = 0;
const caller = async (): Promise<void> => {
  for (let turn = 0; turn < 40; turn += 1) {
    await db.run('insert into item values (1)');
    await db.value('select count(*) from item');
    await db.transaction(async (tx) => {
      await tx.run('insert into item values (1)');
      await sleep(1);
    });
    await using lease = await db.acquire();
    await lease.connection.value('select 1');
    calls += 1;
  }
};
const failures: string[] = [];
await Promise.all(
  Array.from({ length: 4 }, () => caller().catch((error: unknown) => failures.push(String(error)))),
);

/** How long it really took until the limit was told. */
async function lengthOf(work: () => Promise<unknown>): Promise<{ error: string; tookMs: number }> {
  const startedAt = performance.now();
  const error = await work().then(
    () => 'none',
    (reason: Error) => reason.constructor.name,
  );
  return { error, tookMs: Math.round(performance.now() - startedAt) };
}
const limits = {
  query: await lengthOf(() => db.value(ENDLESS, [], { timeoutMs: SHORT_MS })),
  transaction: await lengthOf(() =>
    db.transaction(() => new Promise(() => undefined), { timeoutMs: SHORT_MS }),
  ),
};
await db.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ jumps: jumps.size, calls, failures, alarms, limits, shortMs: SHORT_MS }));
