import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/index.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { startTcpProxy } from '../../servers/tcp-proxy.ts';

test('a database that is closed while it moves to a new primary keeps nothing there (B14)', async () => {
  const url = await sharedPostgresDatabase();
  await using looking = await openDatabase(url, { name: false, log: 'silent' });
  const port = Number(new URL(url).port);
  await using primary = await startTcpProxy({ port });
  // One that is no replica any more is where the writes go once the primary is gone.
  await using promoted = await startTcpProxy({ port });
  const named = (through: string): string =>
    Object.assign(new URL(through), { search: '?application_name=moving' }).href;
  const db = await openDatabase(named(primary.urlFor(url)), {
    name: false,
    log: 'silent',
    readUrls: [named(promoted.urlFor(url))],
    replica: { checkIntervalMs: 50 },
  });
  promoted.delay(100);
  const before = promoted.accepted;
  await primary.refuse();
  primary.resetAll();
  await expect.poll(() => promoted.accepted, { interval: 5 }).toBeGreaterThan(before);
  await db.close({ timeoutMs: 0 });
  promoted.restore();
  await sleep(1_500);
  const sessions = "select count(*)::int from pg_stat_activity where application_name = 'moving'";
  await expect.poll(() => looking.value(sessions)).toBe(0);
});
