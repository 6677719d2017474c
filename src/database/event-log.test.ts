import { beforeEach, describe, expect, test } from 'vitest';
import type { Logger } from '../config/index.ts';
import { ConstraintError, QueryExecutionError } from '../errors/index.ts';
import { EventHub, EVENT_NAMES, type EventMap } from '../events/index.ts';
import { logEvents } from './event-log.ts';

let hub: EventHub;
let lines: [level: string, fields: Record<string, unknown>, message: string][];
let logger: Logger;
beforeEach(() => {
  hub = new EventHub('main', (error) => {
    throw error;
  });
  lines = [];
  const write = (level: string) => (fields: object, message: string) =>
    lines.push([level, { ...fields }, message]);
  logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
});

const QUERY = { sql: 'select 1', durationMs: 5, rows: 1, placement: 'inline' } as const;

describe('a line', () => {
  test('has the fields of its event, and the error as err (J9, S10)', () => {
    logEvents(hub, logger, 'debug');
    hub.emit('query:end', QUERY);
    const error = new QueryExecutionError('no such table');
    hub.emit('query:error', { ...QUERY, error });
    expect(lines).toEqual([
      ['debug', { event: 'query:end', ...QUERY, database: 'main' }, 'query'],
      ['warn', { event: 'query:error', ...QUERY, database: 'main', err: error }, 'query failed'],
    ]);
  });

  test('of what applications ask for is at debug: a broken constraint, an abort', () => {
    logEvents(hub, logger, 'debug');
    hub.emit('query:error', { ...QUERY, error: new ConstraintError('taken', { kind: 'unique' }) });
    hub.emit('query:error', { ...QUERY, error: new Error('the client has gone') });
    expect(lines.map(([level]) => level)).toEqual(['debug', 'debug']);
    lines = [];
    logEvents(hub, logger, 'warn');
    hub.emit('health:down', { side: 'primary', error: new Error('not ours') });
    expect(lines.map(([level]) => level)).toEqual(['error', 'error']);
  });
});

describe('below the level', () => {
  test('nothing is written, and nobody listens, so that it costs nothing', () => {
    logEvents(hub, logger, 'warn');
    expect(
      ['query:end', 'transaction:start', 'connection:open'].some((name) => hub.has(name as 'query:end')),
    ).toBe(false);
    expect(hub.has('query:slow')).toBe(true);
    hub.emit('query:error', { ...QUERY, error: new ConstraintError('taken', { kind: 'unique' }) });
    expect(lines).toEqual([]);
  });

  test('errors are written at every level', () => {
    logEvents(hub, logger, 'error');
    hub.emit('query:slow', { ...QUERY, thresholdMs: 1 });
    hub.emit('transaction:unknown', {
      transactionId: 1,
      readOnly: false,
      durationMs: 1,
      error: new Error('x'),
    });
    expect(lines.map(([level, { event }]) => [level, event])).toEqual([['error', 'transaction:unknown']]);
  });
});

test('every event has its line', () => {
  logEvents(hub, logger, 'debug');
  // The end of a statement says more than its start; changes of data are looked for only while somebody
  // listens, which a log must not cause; metrics log the loops that they find.
  const unwritten: (keyof EventMap)[] = ['query:start', 'data:change', 'query:n-plus-one'];
  const without = EVENT_NAMES.filter((name) => !hub.has(name) && !unwritten.includes(name));
  expect(without).toEqual([]);
});
