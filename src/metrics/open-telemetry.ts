import type { EventOf } from '../events/index.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { ObservedDatabase } from './observed-database.ts';

type Attributes = Record<string, string | number>;

/** The calls of `@opentelemetry/api` that are needed: `trace.getTracer('app')` fits. */
export interface TelemetryTracer {
  startSpan(
    name: string,
    options: { readonly kind: number; readonly startTime: number; readonly attributes: Attributes },
  ): TelemetrySpan;
}

export interface TelemetrySpan {
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(endTime: number): void;
}

/** `metrics.getMeter('app')` fits. */
export interface TelemetryMeter {
  createHistogram(
    name: string,
    options: InstrumentOptions,
  ): { record(value: number, given: Attributes): void };
  createObservableGauge(name: string, options: InstrumentOptions): Observable;
  createObservableCounter(name: string, options: InstrumentOptions): Observable;
  createObservableUpDownCounter(name: string, options: InstrumentOptions): Observable;
}

interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
  readonly advice?: { readonly explicitBucketBoundaries: number[] };
}

type Observe = (result: { observe(value: number, given: Attributes): void }) => void;

interface Observable {
  addCallback(callback: Observe): void;
  removeCallback(callback: Observe): void;
}

export interface TelemetryOptions {
  /** Makes a span of each statement and each transaction. */
  readonly tracer?: TelemetryTracer | undefined;
  /** Records durations, and observes the pool. */
  readonly meter?: TelemetryMeter | undefined;
}

/** SpanKind.CLIENT and SpanStatusCode.ERROR of `@opentelemetry/api`, which is not loaded for two numbers. */
const CLIENT = 2;
const ERROR = 2;
/** https://opentelemetry.io/docs/specs/semconv/database/database-metrics */
const BOUNDARIES_S = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const MS = 1_000;
const WRITES: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE', 'BATCH']);

/**
 * Reports the database's statements, transactions and pool to OpenTelemetry, by its stable conventions for
 * databases. A span is a child of the one that is active where the statement was called.
 * @returns a function that stops it
 */
export function instrument(database: ObservedDatabase, { tracer, meter }: TelemetryOptions): () => void {
  const stops = [
    ...(tracer === undefined ? [] : traceStatements(database, tracer)),
    ...(meter === undefined ? [] : [...measureStatements(database, meter), ...observePool(database, meter)]),
  ];
  return () => stops.forEach((stop) => stop());
}

type Ended = Omit<EventOf<'query:end'>, 'rows' | 'placement'> & { readonly error?: Error };

interface EndedTransaction {
  readonly name?: string;
  readonly durationMs: number;
  readonly error?: unknown;
}

function traceStatements(database: ObservedDatabase, tracer: TelemetryTracer): (() => void)[] {
  const span = (name: string, durationMs: number, attributes: Attributes, error?: unknown) => {
    // Both ends are said, as fractions of a millisecond: most statements are shorter than one.
    const endTime = Date.now();
    const made = tracer.startSpan(name, { kind: CLIENT, startTime: endTime - durationMs, attributes });
    if (error !== undefined) made.setStatus({ code: ERROR, message: typeOf(error) });
    made.end(endTime);
  };
  const ended = (event: Ended) => {
    const attributes = statementAttributes(database, event);
    const text = fingerprintOf(event.sql, database.dialect).text;
    span(
      String(attributes['db.query.summary']),
      event.durationMs,
      { ...attributes, 'db.query.text': text },
      event.error,
    );
  };
  const transaction = (outcome: string) => (event: EndedTransaction) => {
    const attributes = { ...baseAttributes(database), 'millpond.transaction.outcome': outcome };
    span(event.name ?? 'transaction', event.durationMs, attributes, event.error);
  };
  return [
    database.on('query:end', ended),
    database.on('query:error', ended),
    database.on('transaction:commit', transaction('committed')),
    database.on('transaction:rollback', transaction('rolled_back')),
    database.on('transaction:unknown', transaction('unknown')),
  ];
}

function measureStatements(database: ObservedDatabase, meter: TelemetryMeter): (() => void)[] {
  const durations = meter.createHistogram('db.client.operation.duration', {
    description: 'Duration of database client operations.',
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES_S },
  });
  const rows = meter.createHistogram('db.client.response.returned_rows', {
    description: 'Rows returned by an operation.',
    unit: '{row}',
  });
  return [
    database.on('query:end', (event) => {
      const attributes = statementAttributes(database, event);
      durations.record(event.durationMs / MS, attributes);
      // Of a write they are the rows that it changed.
      if (!WRITES.has(String(attributes['db.operation.name']))) rows.record(event.rows, attributes);
    }),
    database.on('query:error', (event) =>
      durations.record(event.durationMs / MS, statementAttributes(database, event)),
    ),
  ];
}

function observePool(database: ObservedDatabase, meter: TelemetryMeter): (() => void)[] {
  const labels = { ...baseAttributes(database), 'db.client.connection.pool.name': database.name };
  const pool = () => database.stats().pool;
  const observed = (instrumentOf: Observable, callback: Observe) => {
    instrumentOf.addCallback(callback);
    return () => instrumentOf.removeCallback(callback);
  };
  const upDown = (name: string, unit: string, description: string) =>
    meter.createObservableUpDownCounter(`db.client.connection.${name}`, { unit, description });
  return [
    observed(upDown('count', '{connection}', 'Connections by state.'), (result) => {
      const { idle, leased } = pool();
      result.observe(idle, { ...labels, 'db.client.connection.state': 'idle' });
      result.observe(leased, { ...labels, 'db.client.connection.state': 'used' });
    }),
    observed(upDown('limit', '{connection}', 'Most connections at once.'), (result) =>
      result.observe(pool().max, labels),
    ),
    observed(upDown('pending_requests', '{request}', 'Callers waiting for one.'), (result) =>
      result.observe(pool().waiting, labels),
    ),
    observed(
      meter.createObservableCounter('db.client.connection.timeouts', {
        unit: '{timeout}',
        description: 'Callers that got no connection in time.',
      }),
      (result) => result.observe(pool().timeouts, labels),
    ),
  ];
}

function baseAttributes({ name, dialect }: ObservedDatabase): Attributes {
  return { 'db.system.name': dialect === 'postgres' ? 'postgresql' : 'sqlite', 'db.namespace': name };
}

/** https://opentelemetry.io/docs/specs/semconv/database/database-spans */
function statementAttributes(database: ObservedDatabase, event: Ended): Attributes {
  const operation = /^\s*([a-z]+)/i.exec(event.sql)?.[1]?.toUpperCase() ?? 'SQL';
  // An UPDATE with a condition reads the table that it writes.
  const tables = new Set([...(event.tablesWritten ?? []), ...(event.tablesRead ?? [])]);
  const table = tables.size === 1 ? [...tables][0] : undefined;
  const summary = event.name ?? (table === undefined ? operation : `${operation} ${table}`);
  return {
    ...baseAttributes(database),
    'db.operation.name': operation,
    ...(table === undefined ? {} : { 'db.collection.name': table }),
    'db.query.summary': summary,
    ...(event.error === undefined ? {} : failureAttributes(event.error)),
  };
}

function failureAttributes(error: Error): Attributes {
  // PostgreSQL's SQLSTATE, SQLite's extended result code.
  const { code, errcode = code } = (error.cause ?? {}) as {
    readonly code?: unknown;
    readonly errcode?: unknown;
  };
  const status = typeof errcode === 'string' || typeof errcode === 'number' ? String(errcode) : undefined;
  return {
    'error.type': typeOf(error),
    ...(status === undefined ? {} : { 'db.response.status_code': status }),
  };
}

/** A code where there is one: messages are for people, and no label. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : error.name;
}
