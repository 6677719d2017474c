import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { EventHub } from './event-hub.ts';
import { EVENT_NAMES } from './event-map.ts';

let failures: [error: unknown, name: string][];
let hub: EventHub;
beforeEach(() => {
  failures = [];
  hub = new EventHub('orders', (error, name) => failures.push([error, name]));
});

const UP = { side: 'primary' } as const;

describe('a listener', () => {
  test('hears the event with the name of its database, until it is taken off', () => {
    const heard: unknown[] = [];
    const stop = hub.on('health:up', (event) => heard.push(event));
    hub.emit('health:up', UP);
    stop();
    stop();
    hub.emit('health:up', UP);
    expect(heard).toEqual([{ side: 'primary', database: 'orders' }]);
  });

  test('may remove itself, or another one, while it is being called', () => {
    const heard: string[] = [];
    const stopFirst = hub.on('health:up', () => {
      heard.push('first');
      stopFirst();
      stopSecond();
    });
    const stopSecond = hub.on('health:up', () => heard.push('second'));
    hub.emit('health:up', UP);
    hub.emit('health:up', UP);
    expect(heard).toEqual(['first']);
  });

  test('that throws or rejects breaks nobody, and its error is told (P13)', async () => {
    const heard: string[] = [];
    const thrown = new Error('thrown');
    const rejected = new Error('rejected');
    hub.on('health:up', () => {
      throw thrown;
    });
    // oxlint-disable-next-line typescript/no-misused-promises -- an async listener of somebody's
    hub.on('health:up', () => Promise.reject(rejected));
    hub.on('health:up', () => heard.push('last'));
    hub.emit('health:up', UP);
    await nextTurn();
    expect(heard).toEqual(['last']);
    expect(failures).toEqual([
      [thrown, 'health:up'],
      [rejected, 'health:up'],
    ]);
  });

  test('of one event hears no other, and one registered twice hears once', () => {
    const heard: string[] = [];
    const listener = () => heard.push('up');
    hub.on('health:up', listener);
    hub.on('health:up', listener);
    hub.emit('health:down', { ...UP, error: new Error('down') });
    hub.emit('health:up', UP);
    expect(heard).toEqual(['up']);
  });
});

describe('asking whether somebody listens', () => {
  test('is answered by listeners and by subscribers of the channel', () => {
    expect(hub.has('health:up')).toBe(false);
    const stop = hub.on('health:up', () => undefined);
    expect([hub.has('health:up'), hub.has('health:down')]).toEqual([true, false]);
    stop();
    expect(hub.has('health:up')).toBe(false);
    const subscriber = () => undefined;
    subscribe('millpond:health:up', subscriber);
    expect(hub.has('health:up')).toBe(true);
    unsubscribe('millpond:health:up', subscriber);
    expect(hub.has('health:up')).toBe(false);
  });
});

describe('the diagnostics channels', () => {
  test('carry every event under its name', () => {
    const heard: unknown[] = [];
    const subscriber = (event: unknown, name: unknown) => void heard.push([name, event]);
    subscribe('millpond:health:up', subscriber);
    hub.emit('health:up', UP);
    unsubscribe('millpond:health:up', subscriber);
    expect(heard).toEqual([['millpond:health:up', { side: 'primary', database: 'orders' }]]);
    expect(new Set(EVENT_NAMES).size).toBe(EVENT_NAMES.length);
  });
});
