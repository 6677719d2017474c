import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../async/index.ts';
import { EventHub, type EventName } from '../events/index.ts';
import { HealthMonitor } from './health-monitor.ts';

const SETTINGS = {
  enabled: true,
  intervalMs: 60_000,
  reconnect: true,
  maxRetries: 3,
  retryIntervalMs: 5_000,
};

let clock: ManualClock;
let heard: string[];
let checks: number[];
let reconnects: number;
let fault: unknown;
beforeEach(() => {
  clock = new ManualClock();
  heard = [];
  checks = [];
  reconnects = 0;
  fault = undefined;
});

function monitorWith(settings: Partial<typeof SETTINGS> = {}): HealthMonitor {
  const hub = new EventHub('main', (error) => {
    throw error;
  });
  for (const name of ['health:up', 'health:down', 'health:reconnecting'] satisfies EventName[]) {
    hub.on(name, () => heard.push(name));
  }
  return new HealthMonitor({
    settings: { ...SETTINGS, ...settings },
    announce: hub,
    clock,
    check: async () => {
      checks.push(clock.now());
      // oxlint-disable-next-line typescript/only-throw-error -- what is thrown may be anything
      if (fault !== undefined) throw fault;
    },
    reconnect: () => void (reconnects += 1),
  });
}

describe('the monitor', () => {
  test('checks at its interval, and says nothing while all is well (P7)', async () => {
    const monitor = monitorWith();
    monitor.start();
    await clock.advanceAsync(180_000);
    expect([checks, heard]).toEqual([[60_000, 120_000, 180_000], []]);
    monitor.stop();
  });

  test('reconnects and tries again after a failure, so often, then waits for its interval', async () => {
    const monitor = monitorWith();
    monitor.start();
    fault = new Error('down');
    await clock.advanceAsync(60_000 + 3 * 5_000);
    expect(checks).toEqual([60_000, 65_000, 70_000, 75_000]);
    expect(reconnects).toBe(3);
    expect(heard).toEqual(['health:down', ...Array.from({ length: 3 }, () => 'health:reconnecting')]);
    await clock.advanceAsync(59_999);
    expect(checks).toHaveLength(4);
    fault = undefined;
    await clock.advanceAsync(1);
    expect(heard.at(-1)).toBe('health:up');
    expect(heard.filter((name) => name === 'health:down')).toHaveLength(1);
    monitor.stop();
  });

  test('does not reconnect where that is off, or where no retry is left to try it', async () => {
    const monitor = monitorWith({ reconnect: false });
    monitor.start();
    fault = 'a string';
    await clock.advanceAsync(120_000);
    expect([checks, reconnects, heard]).toEqual([[60_000, 120_000], 0, ['health:down']]);
    monitor.stop();
  });

  test('does nothing by itself where it is off', async () => {
    monitorWith({ enabled: false }).start();
    await clock.advanceAsync(1_000_000);
    expect([checks, clock.pending]).toEqual([[], 0]);
  });

  test('is silent once it was stopped, also with a check under way', async () => {
    const monitor = monitorWith();
    monitor.start();
    fault = new Error('down');
    clock.advance(60_000);
    monitor.stop();
    await clock.advanceAsync(100_000);
    expect([checks, heard, reconnects, clock.pending]).toEqual([[60_000], [], 0, 0]);
  });
});

describe('a check asked for', () => {
  test('says how it went, and never rejects', async () => {
    const monitor = monitorWith();
    expect(await monitor.check()).toEqual({ side: 'primary', status: 'up', latencyMs: 0 });
    fault = new Error('down');
    expect(await monitor.check()).toEqual({ side: 'primary', status: 'down', latencyMs: 0, error: fault });
    fault = 'a string';
    expect((await monitor.check()).error).toBeInstanceOf(Error);
    fault = undefined;
    await monitor.check();
    expect(heard).toEqual(['health:down', 'health:up']);
  });
});
