import { DatabaseSync } from 'node:sqlite';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { scratchPath } from '../../fixtures/scratch-database.ts';
import { startService, type Service } from './service.ts';

/** A busy machine, over what was promised. */
const SLACK_MS = 8_000;

function rowsOf(path: string): { id: number; note: string | null }[] {
  const file = new DatabaseSync(path);
  onTestFinished(() => file.close());
  expect(file.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
  return file.prepare('select id, note from row').all() as never;
}

/** Asks for writes one after the other until the service no longer answers. @returns what was answered 201 */
async function writeUntilRefused(
  service: Service,
  ids: () => number,
  onWritten: () => void,
): Promise<number[]> {
  const written: number[] = [];
  for (;;) {
    const id = ids();
    try {
      const { status } = await fetch(`${service.url}/write?id=${id}`, { method: 'POST' });
      if (status !== 201) continue;
      written.push(id);
      onWritten();
    } catch {
      return written;
    }
  }
}

describe('a signal', () => {
  test(
    'under load: what was answered is there, whole, and the process ends by itself (C56, P1, B14)',
    async () => {
      const random = randomFrom(seed);
      for (let round = 0; round < scaled(2); round += 1) {
        const path = scratchPath();
        const service = await startService(path, { stepTimeoutMs: 1_000 });
        let [last, answered] = [0, 0];
        const tell = (): void => void (answered += 1);
        const clients = Array.from({ length: 12 }, () => writeUntilRefused(service, () => (last += 1), tell));
        const stream = fetch(`${service.url}/endless`)
          .then((response) => response.text())
          .catch(() => 'cut');
        await sleep(200 + random() * 300);
        await expect.poll(() => answered).toBeGreaterThan(0);
        service.child.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGINT');
        const { code, signal, tookMs } = await service.end();
        expect([code, signal], `seed ${seed}`).toEqual([0, null]);
        expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
        const acknowledged = (await Promise.all(clients)).flat();
        const rows = rowsOf(path);
        expect(acknowledged.length).toBeGreaterThan(0);
        expect(new Set(acknowledged).difference(new Set(rows.map(({ id }) => id)))).toEqual(new Set());
        expect(rows.filter(({ note }) => note !== 'whole')).toEqual([]);
        expect(await stream).toBe('cut');
        expect(service.lines.at(-1)).toEqual({ exit: 0, left: [] });
      }
    },
    scaledTimeoutMs(),
  );

  test('closes in order: no more connections, requests under way answered, then the rest, then databases', async () => {
    const service = await startService(scratchPath());
    const told = fetch(`${service.url}/told`).then((response) => response.text());
    await expect.poll(() => service.lines.at(-1)).toEqual({ asked: '/told' });
    service.child.kill('SIGTERM');
    const another = () =>
      fetch(`${service.url}/slow`).then(
        () => 'served',
        () => 'refused',
      );
    await expect.poll(another).toBe('refused');
    service.child.kill('SIGUSR2');
    expect(await told).toBe('done');
    expect(await service.end()).toMatchObject({ code: 0 });
    expect(service.lines.slice(2)).toEqual([
      { begins: 'Error: SIGTERM was received' },
      { closed: 'cache', listening: false, answers: 'main' },
      { exit: 0, left: [] },
    ]);
  });

  test('does not wait for connections without a request, and not for long for those that never end', async () => {
    const service = await startService(scratchPath(), { stepTimeoutMs: 600 });
    const { port, hostname } = new URL(service.url);
    const [idle, half] = [connect(Number(port), hostname), connect(Number(port), hostname)];
    for (const socket of [idle, half]) socket.on('error', () => undefined);
    half.write('POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhal');
    await fetch(`${service.url}/slow`);
    service.child.kill('SIGTERM');
    const { code, tookMs } = await service.end();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(600 + SLACK_MS);
  });

  test('goes on serving for the delay, with its signal aborted, so that balancers can look away', async () => {
    const service = await startService(scratchPath(), { delayMs: 1_500 });
    service.child.kill('SIGTERM');
    await expect.poll(() => service.lines.at(-1)).toEqual({ begins: 'Error: SIGTERM was received' });
    expect((await fetch(`${service.url}/slow`)).status).toBe(200);
    expect(await service.end()).toMatchObject({ code: 0 });
  });

  test('given twice ends the process at once, whatever hangs (P1)', async () => {
    const service = await startService(scratchPath(), {}, 'hang');
    service.child.kill('SIGTERM');
    await expect.poll(() => service.lines.at(-1)).toMatchObject({ closed: 'cache' });
    service.child.kill('SIGINT');
    const { code, tookMs } = await service.end();
    expect(code).toBe(128 + 2);
    expect(tookMs).toBeLessThan(SLACK_MS);
  });
});

describe('what does not close', () => {
  test('is left behind: the databases are closed all the same, and the code says so', async () => {
    for (const flag of ['hang', 'fail']) {
      const service = await startService(scratchPath(), { stepTimeoutMs: 300 }, flag);
      service.child.kill('SIGTERM');
      expect(await service.end(), flag).toMatchObject({ code: 1 });
      expect(service.lines.at(-1)).toEqual({ exit: 1, left: [] });
    }
  });

  test('is bounded by the whole: a transaction, a lease (C56, B10)', async () => {
    const service = await startService(scratchPath(), { timeoutMs: 3_000, stepTimeoutMs: 300 });
    const held = fetch(`${service.url}/held`).catch(() => undefined);
    await fetch(`${service.url}/leak`);
    service.child.kill('SIGTERM');
    const { code, tookMs } = await service.end();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(3_000 + SLACK_MS);
    await held;
  });
});

describe('an error that nobody handles', () => {
  test.each([
    ['/throw', 'Error: uncaught'],
    ['/reject', 'Error: unhandled'],
  ])('%s closes everything, and ends with code 1 without the delay (P1)', async (route, reason) => {
    const service = await startService(scratchPath(), { delayMs: 60_000, stepTimeoutMs: 500 });
    void fetch(`${service.url}${route}`).catch(() => undefined);
    const { code, tookMs } = await service.end();
    expect(code).toBe(1);
    expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
    expect(service.lines.slice(1)).toEqual([
      { begins: reason },
      { closed: 'cache', listening: false, answers: 'main' },
      { exit: 1, left: [] },
    ]);
  });
});
