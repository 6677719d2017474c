import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../errors/index.ts';
import { closeOnSignals } from './close-on-signals.ts';

const EVENTS = ['SIGTERM', 'SIGINT', 'uncaughtException', 'unhandledRejection'] as const;
const counts = (): number[] => EVENTS.map((name) => process.listenerCount(name));

let before: number[];
beforeEach(() => void (before = counts()));
// What a test leaves behind would end the process of the tests after it.
afterEach(() => expect(counts()).toEqual(before));

describe('closeOnSignals', () => {
  test('listens to two signals and two kinds of errors until it is taken off (P1)', () => {
    const shutdown = closeOnSignals();
    expect(counts()).toEqual(before.map((count) => count + 1));
    shutdown.off();
    shutdown.off();
    expect(counts()).toEqual(before);
  });

  test("listens to nothing where signals are somebody else's", async () => {
    const shutdown = closeOnSignals([], { signals: false });
    expect(counts()).toEqual(before);
    expect(await shutdown.close()).toBe(true);
  });

  test('leaves nothing on a server that goes on', () => {
    const server = createServer();
    {
      using shutdown = closeOnSignals(server);
      expect([server.listenerCount('connection'), shutdown.signal.aborted]).toEqual([2, false]);
    }
    expect(server.listenerCount('connection')).toBe(1);
  });

  test('closes by hand too: in order, once, whatever fails, and the process goes on (B14)', async () => {
    const closed: string[] = [];
    const errors: unknown[] = [];
    const failure = new Error('not today');
    const shutdown = closeOnSignals(
      [
        () => void closed.push('function'),
        { close: () => Promise.reject(failure) },
        {
          close: async () => {
            await new Promise((resolve) => setImmediate(resolve));
            closed.push('object');
          },
        },
        createServer(),
        () => void closed.push('last'),
      ],
      {
        log: {
          debug: () => undefined,
          info: () => undefined,
          warn: () => undefined,
          error: (fields) => errors.push({ ...fields }),
        },
      },
    );
    const closing = shutdown.close();
    expect(shutdown.signal.aborted).toBe(true);
    expect(await Promise.all([closing, shutdown.close()])).toEqual([false, false]);
    expect(closed).toEqual(['function', 'object', 'last']);
    expect(errors).toEqual([{ err: failure, what: 'Object' }]);
  });

  test('says true when all went well', async () => {
    expect(await closeOnSignals(() => undefined).close()).toBe(true);
  });

  test('refuses wrong options with all their faults, and listens to nothing', () => {
    const wrong = { timeoutMs: -1, stepTimeoutMs: Number.NaN, delayMS: 5 } as object;
    const refused = () => closeOnSignals([], wrong);
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(/closeOnSignals\.timeoutMs[^]*stepTimeoutMs[^]*delayMS[^]*is no option/);
  });
});
