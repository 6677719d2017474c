import { context, trace, type Context, type ContextManager } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { instrument } from '../../../src/metrics/index.ts';
import { expectAtRest, scratchForAll } from '../../fixtures/scratch-database.ts';

/** The context manager that applications get from `@opentelemetry/sdk-trace-node`, in short. */
class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active = () => this.#storage.getStore() ?? ROOT;
  with: ContextManager['with'] = (given, work, self, ...parameters) =>
    this.#storage.run(given, () => work.apply(self as never, parameters));
  bind: ContextManager['bind'] = (_given, target) => target;
  enable = () => this;
  disable = () => this;
}
const ROOT = context.active();

const scratch = scratchForAll('create table notes (id integer primary key, title text)', { name: 'shop' });
const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const tracer = provider.getTracer('test');
beforeAll(() => void context.setGlobalContextManager(new AsyncContexts()));
afterAll(async () => {
  context.disable();
  await provider.shutdown();
});

let stop: () => void;
beforeEach(() => {
  exporter.reset();
  stop = instrument(scratch.db, { tracer });
});
afterEach(async () => {
  stop();
  await expectAtRest(scratch.db);
});

const spans = () => exporter.getFinishedSpans();

describe('a span', () => {
  test('has the name and attributes of the conventions, and no value (B18)', async () => {
    await scratch.db.all("select * from notes where title = 'hunter2' and id = ?", [42]);
    expect(spans()).toHaveLength(1);
    expect(spans()[0]).toMatchObject({
      name: 'SELECT notes',
      kind: 2,
      attributes: {
        'db.system.name': 'sqlite',
        'db.namespace': 'shop',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'notes',
        'db.query.summary': 'SELECT notes',
        'db.query.text': 'select * from notes where title = ? and id = ?',
      },
    });
    expect(JSON.stringify(spans()[0]!.attributes)).not.toMatch(/hunter2|42/);
  });

  test('is a child of the one that is active at the call', async () => {
    const parent = tracer.startSpan('GET /notes');
    await context.with(trace.setSpan(ROOT, parent), () =>
      Promise.all([scratch.db.all('select 1'), scratch.db.transaction((tx) => tx.run('delete from notes'))]),
    );
    parent.end();
    const statements = spans().filter(({ name }) => /^(SELECT|DELETE)/.test(name));
    expect(statements.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
      parent.spanContext().spanId,
      parent.spanContext().spanId,
    ]);
  });

  test('lasts as long as its statement, to the microsecond', async () => {
    const durations: number[] = [];
    const off = scratch.db.on('query:end', ({ durationMs }) => void durations.push(durationMs));
    for (let call = 0; call < 20; call += 1) await scratch.db.all('select 1');
    off();
    const measured = spans().map(({ duration: [wholeSeconds, nanos] }) => wholeSeconds * 1e3 + nanos / 1e6);
    for (const [call, durationMs] of durations.entries()) expect(measured[call]).toBeCloseTo(durationMs, 2);
  });

  test('names the table of a statement that reads what it writes', async () => {
    await scratch.db.run('update notes set title = ? where id = ?', ['a', 1]);
    await scratch.db.run('delete from notes where title = ?', ['a']);
    expect(spans().map(({ name }) => name)).toEqual(['UPDATE notes', 'DELETE notes']);
  });

  test('of a failed statement says its code', async () => {
    await expect(scratch.db.all('select * from missing')).rejects.toThrow('no such table');
    expect(spans()[0]).toMatchObject({
      status: { code: 2, message: 'ERR_MILLPOND_QUERY' },
      attributes: { 'error.type': 'ERR_MILLPOND_QUERY', 'db.response.status_code': '1' },
    });
    await scratch.db.run('insert into notes (id) values (1), (1)').catch(() => undefined);
    expect(spans()[1]!.attributes).toMatchObject({
      'error.type': 'ERR_MILLPOND_CONSTRAINT',
      // SQLITE_CONSTRAINT_PRIMARYKEY: https://sqlite.org/rescode.html#constraint_primarykey
      'db.response.status_code': '1555',
    });
  });

  test('is made of each transaction, with its outcome', async () => {
    await scratch.db.transaction((tx) => tx.value('select 1'), { name: 'ask' });
    const fault = new Error('no');
    await expect(scratch.db.transaction(() => Promise.reject(fault), { name: 'fail' })).rejects.toBe(fault);
    const outcomes = spans().map(({ name, attributes }) => [
      name,
      attributes['millpond.transaction.outcome'],
    ]);
    expect(outcomes).toContainEqual(['ask', 'committed']);
    expect(outcomes).toContainEqual(['fail', 'rolled_back']);
  });

  test('is no longer made after the end', async () => {
    stop();
    await scratch.db.all('select 1');
    expect(spans()).toEqual([]);
  });
});

test('durations and the pool are measured under the names of the conventions', async () => {
  const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 60_000 });
  const meters = new MeterProvider({ readers: [reader] });
  const stopMeasuring = instrument(scratch.db, { meter: meters.getMeter('test') });
  await scratch.db.all('select 1');
  await scratch.db.all('select missing').catch(() => undefined);
  await scratch.db.run("insert into notes (title) values ('a'), ('b')");
  await meters.forceFlush();
  stopMeasuring();
  const found = measured
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  const byName = new Map(
    found.map(({ descriptor, dataPoints }) => [descriptor.name, { descriptor, dataPoints }]),
  );
  expect([...byName.keys()].toSorted()).toEqual([
    'db.client.connection.count',
    'db.client.connection.limit',
    'db.client.connection.pending_requests',
    'db.client.connection.timeouts',
    'db.client.operation.duration',
    'db.client.response.returned_rows',
  ]);
  const { descriptor, dataPoints } = byName.get('db.client.operation.duration')!;
  expect(descriptor.unit).toBe('s');
  expect(dataPoints.map(({ attributes }) => attributes['error.type'])).toContain('ERR_MILLPOND_QUERY');
  const returned = byName.get('db.client.response.returned_rows')!.dataPoints;
  expect(returned.map(({ attributes }) => attributes['db.operation.name'])).toEqual(['SELECT']);
  const states = byName.get('db.client.connection.count')!.dataPoints;
  expect(states.map(({ attributes }) => attributes['db.client.connection.state'])).toEqual(['idle', 'used']);
  await meters.shutdown();
});
