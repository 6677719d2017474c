import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { scaled, scaledTimeoutMs } from '../../fixtures/scale.ts';
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../../servers/tcp-proxy.ts';
import { startService, type Service } from './service.ts';

/** A busy machine, over what was promised. */
const SLACK_MS = 8_000;
const CLIENTS = 12;

let server: PostgresServer;
beforeAll(async () => void (server = await startPostgres()));
afterAll(() => server?.stop());

interface Stage {
  readonly service: Service;
  readonly proxy: TcpProxy;
  /** Somebody else on the same database. */
  readonly other: Database;
  /** What was answered 201 once the service has ended. */
  readonly acknowledged: Promise<number[]>;
}

/** A service with clients that write until it no longer answers; its database is behind a proxy. */
async function underLoad(options: object = {}): Promise<Stage> {
  const url = await server.createDatabase();
  const proxy = await startTcpProxy({ port: server.port });
  const other = await openDatabase(url, { name: false, log: 'silent' });
  onTestFinished(async () => {
    await other.close();
    await proxy.close();
  });
  const service = await startService(`${proxy.urlFor(url)}?application_name=service`, options);
  let last = 0;
  const clients = Array.from({ length: CLIENTS }, async () => {
    const written: number[] = [];
    for (;;) {
      const id = (last += 1);
      const answer = await fetch(`${service.url}/write?id=${id}`, { method: 'POST' }).catch(() => undefined);
      if (answer === undefined) return written;
      if (answer.status === 201) written.push(id);
    }
  });
  const acknowledged = Promise.all(clients).then((all) => all.flat());
  await expect.poll(() => other.value('select count(*) from row'), { timeout: 60_000 }).toBeGreaterThan(100);
  return { service, proxy, other, acknowledged };
}

/** All that was acknowledged is there and whole, and nobody is left on the server. */
async function expectKept({ other, acknowledged }: Stage): Promise<void> {
  const ids = await acknowledged;
  const rows = new Set((await other.arrays("select id from row where note = 'whole'")).flat() as number[]);
  expect(ids.filter((id) => !rows.has(id) || !rows.has(-id))).toEqual([]);
  expect(await other.value('select count(*) from row where note is null')).toBe(0);
  const sessions = "select count(*) from pg_stat_activity where application_name = 'service'";
  await expect.poll(() => other.value(sessions)).toBe(0);
}

describe('a service on PostgreSQL under load', () => {
  test(
    'ends at a signal: what was answered is there, whole, and no session is left (C56, P1)',
    async () => {
      for (let round = 0; round < scaled(2); round += 1) {
        const stage = await underLoad({ stepTimeoutMs: 1_000 });
        stage.service.child.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGINT');
        const { code, signal, tookMs } = await stage.service.end();
        expect([code, signal]).toEqual([0, null]);
        expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
        await expectKept(stage);
      }
    },
    scaledTimeoutMs(),
  );

  test.each(['/throw', '/reject'])(
    'ends at an error that nobody handled (%s) in the same way, with code 1 (P1)',
    async (route) => {
      const stage = await underLoad({ stepTimeoutMs: 1_000, delayMs: 60_000 });
      void fetch(`${stage.service.url}${route}`).catch(() => undefined);
      const { code, tookMs } = await stage.service.end();
      expect(code).toBe(1);
      expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
      await expectKept(stage);
    },
  );

  test('ends in time though its server has fallen silent (C56, B14)', async () => {
    const stage = await underLoad({ timeoutMs: 4_000, stepTimeoutMs: 500 });
    stage.proxy.blackHole();
    await sleep(50);
    stage.service.child.kill('SIGTERM');
    const { code, tookMs } = await stage.service.end();
    expect(code).not.toBeNull();
    expect(tookMs).toBeLessThan(4_000 + SLACK_MS);
    stage.proxy.resetAll();
    await expectKept(stage);
  });

  test('ends at once when the signal is given twice, and what was answered is there (P1)', async () => {
    const stage = await underLoad({ delayMs: 60_000 });
    stage.service.child.kill('SIGTERM');
    await expect.poll(() => stage.service.lines.at(-1)).toHaveProperty('begins');
    stage.service.child.kill('SIGTERM');
    const { code, tookMs } = await stage.service.end();
    expect(code).toBe(128 + 15);
    expect(tookMs).toBeLessThan(SLACK_MS);
    await expectKept(stage);
  });
});
