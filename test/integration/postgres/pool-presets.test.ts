import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConnectionPoolExhaustedError,
  openDatabase,
  type Database,
  type DatabaseOptions,
  type Lease,
} from '../../../src/index.ts';
import { expectAtRest } from '../../../src/testing/index.ts';
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts';

/** Of its own: a full pool of the larger preset is half of all that a server takes. */
let server: PostgresServer;
beforeAll(async () => void (server = await startPostgres()));
afterAll(() => server?.stop());

async function sessionsOf(name: string): Promise<number> {
  const text = 'select count(*)::int as count from pg_stat_activity where application_name = $1';
  const [row] = await server.query<{ count: number }>(text, [name]);
  return row!.count;
}

async function open(name: string, pool: DatabaseOptions['pool']): Promise<Database> {
  return openDatabase(`${server.url}?application_name=${name}`, { name: false, log: 'silent', pool: pool! });
}

async function takeAll(db: Database, count: number): Promise<Lease[]> {
  return Promise.all(Array.from({ length: count }, () => db.acquire()));
}

describe.each([
  ['development', 5, 10],
  ['production', 20, 40],
] as const)('the preset %s on a server (M8, P6)', (preset, max, maxOverflow) => {
  test('lends what it says, refuses the next in time, and keeps no more than its size', async () => {
    await using db = await open(preset, { preset });
    expect(await sessionsOf(preset)).toBe(1);
    const leases = await takeAll(db, max + maxOverflow);
    expect(db.stats().pool).toMatchObject({ leased: max + maxOverflow, idle: 0, max, overflow: maxOverflow });
    expect(await sessionsOf(preset)).toBe(max + maxOverflow);
    const refusal = await db.acquire({ timeoutMs: 20 }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConnectionPoolExhaustedError);
    expect(refusal).toMatchObject({ retryable: true });
    expect((refusal as Error).message).toContain(`${max + maxOverflow} leased, 0 idle`);
    for (const lease of leases) lease.release();
    await expectAtRest(db);
    await expect.poll(() => sessionsOf(preset)).toBe(max);
    expect(db.stats().pool).toMatchObject({ size: max, idle: max, overflow: 0 });
    await db.close();
    await expect.poll(() => sessionsOf(preset)).toBe(0);
  });
});

test('what a rush opened goes after its idle time, down to `min`, and fails nobody (P6, C47)', async () => {
  await using db = await open('idle', { min: 2, max: 6, idleTimeoutMs: 200 });
  const reasons: string[] = [];
  db.on('connection:close', ({ reason }) => void reasons.push(reason));
  for (const lease of await takeAll(db, 6)) lease.release();
  while (reasons.length < 4) expect(await db.transaction((tx) => tx.value('select 1'))).toBe(1);
  expect(new Set(reasons)).toEqual(new Set(['idle']));
  await expect.poll(() => sessionsOf('idle')).toBe(2);
  expect(db.stats().pool).toMatchObject({ size: 2, max: 6 });
  await expectAtRest(db);
});
