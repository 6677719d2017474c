import { beforeEach, describe, expect, test } from 'vitest';
import type { ObservedStatement } from '../driver/index.ts';
import { EventHub, type EventName } from '../events/index.ts';
import { QueryRecorder } from './query-recorder.ts';

let hub: EventHub;
let heard: [EventName, unknown][];
beforeEach(() => {
  hub = new EventHub('main', (error) => {
    throw error;
  });
  heard = [];
});

function listenTo(...names: EventName[]): void {
  for (const name of names) hub.on(name, (event) => heard.push([name, event]));
}

function statement(durationMs: number): ObservedStatement {
  return {
    text: 'select ?',
    name: undefined,
    params: ['hunter2'],
    placement: 'worker',
    connectionId: 3,
    transactionId: undefined,
    durationMs,
  };
}

/** As engines do: counted always, reported where that is asked for. */
function succeed(recorder: QueryRecorder, durationMs: number, rows: number): void {
  if (recorder.record(durationMs, rows)) recorder.succeeded(statement(durationMs), rows);
}

const QUIET = { slowQueryMs: 100, exposeParams: false };

describe('statements', () => {
  test('are counted once each, failed ones included (B20)', () => {
    const recorder = new QueryRecorder(hub, QUIET);
    succeed(recorder, 5, 2);
    succeed(recorder, 150, 1);
    recorder.failed(statement(10), new Error('failed'));
    expect(recorder.stats()).toEqual({ count: 3, errors: 1, slow: 1, rows: 3, totalMs: 165 });
  });

  test('are counted the same when somebody listens', () => {
    listenTo('query:end', 'query:slow', 'query:error');
    const recorder = new QueryRecorder(hub, QUIET);
    succeed(recorder, 5, 2);
    succeed(recorder, 150, 1);
    recorder.failed(statement(10), new Error('failed'));
    expect(recorder.stats()).toEqual({ count: 3, errors: 1, slow: 1, rows: 3, totalMs: 165 });
    expect(heard.map(([name]) => name)).toEqual(['query:end', 'query:end', 'query:slow', 'query:error']);
  });

  test('are reported in full only where somebody would hear of them', () => {
    const recorder = new QueryRecorder(hub, QUIET);
    expect([recorder.record(99, 1), recorder.record(100, 1)]).toEqual([false, true]);
    listenTo('query:end');
    expect(recorder.record(1, 1)).toBe(true);
  });

  test('are never slow with a threshold of 0', () => {
    listenTo('query:slow');
    const recorder = new QueryRecorder(hub, { ...QUIET, slowQueryMs: 0 });
    succeed(recorder, 1e9, 1);
    expect([recorder.stats().slow, heard]).toEqual([0, []]);
  });
});

describe('an event', () => {
  test('reports what is known about the statement, but none of its values (B18)', () => {
    listenTo('query:end', 'query:slow', 'query:error');
    const recorder = new QueryRecorder(hub, QUIET);
    const known = { ...statement(150), name: 'by id', transactionId: 7 };
    recorder.succeeded(known, 4);
    const error = new Error('failed');
    recorder.failed(statement(10), error);
    const told = { sql: 'select ?', placement: 'worker', connectionId: 3, database: 'main' };
    const named = { ...told, name: 'by id', transactionId: 7, durationMs: 150, rows: 4 };
    expect(heard).toEqual([
      ['query:end', named],
      ['query:slow', { ...named, thresholdMs: 100 }],
      ['query:error', { ...told, durationMs: 10, error }],
    ]);
  });

  test('has the values where that was asked for', () => {
    listenTo('query:end');
    new QueryRecorder(hub, { ...QUIET, exposeParams: true }).succeeded(statement(1), 1);
    expect(heard[0]![1]).toMatchObject({ params: ['hunter2'] });
  });
});
