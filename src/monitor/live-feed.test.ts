import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ask, bearer, monitorStage, TOKEN, type MonitorStage } from '../../test/fixtures/monitor-stage.ts';
import type { Monitor } from './create-monitor.ts';

let create: MonitorStage['create'];
beforeEach(() => {
  ({ create } = monitorStage());
});

describe('the stream of a page', () => {
  const read = async (response: Response, count: number) => {
    const reader = response.body!.getReader();
    const events: string[] = [];
    while (events.length < count) {
      const { value, done } = await reader.read();
      if (done) break;
      const found = new TextDecoder().decode(value).matchAll(/^event: (\w+)$/gm);
      events.push(...Array.from(found, ([, name]) => name!));
    }
    return { events, reader };
  };
  const open = (monitor: Monitor, signal?: AbortSignal) =>
    monitor.handle(
      new Request('http://app.test/monitoring/events', { headers: bearer, ...(signal ? { signal } : {}) }),
    );

  test('begins with history and lists, then goes on with points', async () => {
    const monitor = create({ token: TOKEN, sampleMs: 100 });
    const { events, reader } = await read(await open(monitor), 6);
    expect(events).toEqual(['history', 'state', 'sample', 'sample', 'state', 'sample']);
    expect(monitor.clients).toBe(1);
    await reader.cancel();
    expect(monitor.clients).toBe(0);
  });

  test('ends with its request, and with the monitor; there are only so many (C73)', async () => {
    const monitor = create({ token: TOKEN, maxClients: 2 });
    const leaving = new AbortController();
    const first = await open(monitor, leaving.signal);
    const second = await open(monitor);
    const refused = await open(monitor);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    leaving.abort();
    expect(monitor.clients).toBe(1);
    monitor.close();
    monitor.close();
    expect(monitor.clients).toBe(0);
    expect((await read(first, 9)).events).toEqual(['history', 'state']);
    expect((await read(second, 9)).events).toEqual(['history', 'state']);
  });

  test('that nobody reads holds no more than its beginning, and is given up', async () => {
    vi.useFakeTimers();
    const monitor = create({ token: TOKEN, sampleMs: 100, maxSamples: 5 });
    const response = await open(monitor);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(monitor.clients).toBe(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(monitor.clients).toBe(0);
    vi.useRealTimers();
    expect((await read(response, 99)).events).toEqual(['history', 'state']);
    expect((await ask(monitor, '/monitoring/history')).json()).toHaveLength(5);
  });
});
