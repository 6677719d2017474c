import { afterEach, describe, expect, test } from 'vitest';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { forgetStream, forgetTransaction, LIMIT_BYTES, scanWithoutPause, writeBeside } from './long-log.ts';

const MEGABYTES = 16;
const MEBIBYTE = 1_024 ** 2;
/** Less than the time for which a checkpoint that waits would hold a writer. */
const SLOW_MS = 3_500;

describe('the write-ahead log (C16)', () => {
  afterEach(() => expect(liveWorkers()).toEqual([]));

  test('stays short under steady writing', async () => {
    const report = await writeBeside(MEGABYTES, async () => undefined);
    expect(report.mostLogBytes).toBeLessThan(MEGABYTES * MEBIBYTE * 0.5);
    expect(report.alarms).toEqual([]);
  });

  test('stays short with one connection', async () => {
    const report = await writeBeside(MEGABYTES, async () => undefined, { pooled: false });
    expect(report.mostLogBytes).toBeLessThan(4 * LIMIT_BYTES);
  });

  test('stays short though at any moment some statement reads it', async () => {
    const report = await writeBeside(MEGABYTES, scanWithoutPause);
    // Each reader's snapshot keeps the log from starting over; without a gap between them it would hold all.
    expect(report.mostLogBytes).toBeLessThan(MEGABYTES * MEBIBYTE * 0.8);
    expect(report.slowestMs, 'the slowest write').toBeLessThan(SLOW_MS);
  });

  test('cannot start over under a forgotten transaction: names it, lets writes go on, and recovers with its end', async () => {
    const options = { idleInTransactionTimeoutMs: 60_000 };
    const report = await writeBeside(MEGABYTES, forgetTransaction, options);
    expect(report.alarms[0]).toMatchObject({ holder: 'transaction "report"' });
    // A checkpoint that waited for the reader would hold writers for as long.
    expect(report.slowestMs, 'the slowest write').toBeLessThan(SLOW_MS);
    expect(report.laterGrowthBytes).toBeLessThan(MEGABYTES * MEBIBYTE * 0.75);
  });

  test('cannot start over under an abandoned stream: names it, and ends it at its idle limit', async () => {
    const report = await writeBeside(MEGABYTES, forgetStream, { idleInTransactionTimeoutMs: 2_000 });
    expect(report.alarms[0]).toMatchObject({ holder: 'export' });
    expect(report.slowestMs, 'the slowest write').toBeLessThan(SLOW_MS);
    expect(report.laterGrowthBytes).toBeLessThan(MEGABYTES * MEBIBYTE * 0.75);
  });
});
