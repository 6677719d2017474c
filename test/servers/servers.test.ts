import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { createClient } from 'redis';
import { expect, onTestFinished, test } from 'vitest';
import { startPgBouncer } from './pgbouncer.ts';
import { sharedPostgresDatabase, sharedPostgresUrl, sharedRedisUrl } from './shared.ts';

test('servers do not outlive a process that is killed, nor do their files', async () => {
  const script = fileURLToPath(new URL('scripts/start-servers.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { postgres, redis, folder } = JSON.parse(line) as { postgres: number; redis: number; folder: string };
  expect([isAlive(postgres), isAlive(redis), existsSync(folder)]).toEqual([true, true, true]);
  child.kill('SIGKILL');
  await expect
    .poll(() => [isAlive(postgres), isAlive(redis), existsSync(folder)])
    .toEqual([false, false, false]);
});

test('the files of a run share one server of each kind', async () => {
  const urls = await Promise.all([sharedPostgresUrl(), sharedPostgresUrl()]);
  expect(new Set(urls).size).toBe(1);
  expect(await sharedPostgresDatabase()).not.toBe(await sharedPostgresDatabase());
  const redis = createClient({ url: await sharedRedisUrl() });
  await redis.connect();
  expect(await redis.ping()).toBe('PONG');
  redis.destroy();
});

test('a PgBouncer stands before a database', async () => {
  await using bouncer = await startPgBouncer({ target: await sharedPostgresDatabase() });
  const client = new Client({ connectionString: bouncer.url });
  await client.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await client.end();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
