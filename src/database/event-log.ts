import type { Logger, LogLevel } from '../config/index.ts';
import { ConstraintError, MillpondError } from '../errors/index.ts';
import type { EventHub, EventName } from '../events/index.ts';

type WrittenLevel = Exclude<LogLevel, 'silent'>;

interface Line {
  readonly level: WrittenLevel;
  readonly message: string;
}

const LEVELS: readonly WrittenLevel[] = ['debug', 'info', 'warn', 'error'];

/** What is written of each event. The fields of a line are those of the event. */
const LINES: Partial<Record<EventName, Line>> = {
  'connection:open': { level: 'debug', message: 'connection opened' },
  'connection:close': { level: 'debug', message: 'connection closed' },
  'connection:error': { level: 'error', message: 'connection failed' },
  'pool:exhausted': { level: 'warn', message: 'no connection came free' },
  'pool:leak': { level: 'warn', message: 'a lease is held for long; was it forgotten?' },
  'pool:leak-returned': { level: 'info', message: 'a lease that was reported as leaked came back' },
  'pool:slow-acquire': { level: 'warn', message: 'waited long for a connection' },
  'query:end': { level: 'debug', message: 'query' },
  'query:slow': { level: 'warn', message: 'slow query' },
  'query:error': { level: 'warn', message: 'query failed' },
  'transaction:start': { level: 'debug', message: 'transaction began' },
  'transaction:commit': { level: 'debug', message: 'transaction committed' },
  'transaction:rollback': { level: 'debug', message: 'transaction rolled back' },
  'transaction:unknown': { level: 'error', message: 'the outcome of a transaction is unknown' },
  'transaction:held-too-long': { level: 'warn', message: 'a transaction is held for long' },
  'cache:hit': { level: 'debug', message: 'cache hit' },
  'cache:miss': { level: 'debug', message: 'cache miss' },
  'cache:set': { level: 'debug', message: 'cached' },
  'cache:invalidate': { level: 'debug', message: 'cache invalidated' },
  'cache:down': { level: 'warn', message: 'the second tier of a cache does not answer' },
  'cache:up': { level: 'info', message: 'the second tier of a cache answers again' },
  'health:up': { level: 'info', message: 'database answers again' },
  'health:down': { level: 'error', message: 'database does not answer' },
  'health:reconnecting': { level: 'warn', message: 'reconnecting' },
  'migration:start': { level: 'info', message: 'migration begins' },
  'migration:end': { level: 'info', message: 'migration ended' },
  'replication:primary-changed': { level: 'warn', message: 'another server takes the writes now' },
  'listen:gap': { level: 'warn', message: 'notifications may be missing' },
  'listen:error': { level: 'warn', message: 'listening failed' },
  'sqlite:checkpoint': { level: 'debug', message: 'checkpoint' },
  'sqlite:wal-pinned': { level: 'warn', message: 'a reader keeps the write-ahead log from shrinking' },
  'sqlite:inline-overrun': {
    level: 'info',
    message: 'an inline read held the event loop; it goes to a worker now',
  },
};

/**
 * The one listener that turns events into log lines. Events below the level are not subscribed to: they cost
 * nothing.
 */
export function logEvents(events: EventHub, logger: Logger, level: WrittenLevel): void {
  for (const [name, line] of Object.entries(LINES) as [EventName, Line][]) {
    if (LEVELS.indexOf(line.level) < LEVELS.indexOf(level)) continue;
    events.on(name, (event) => {
      const { error, ...fields } = event as typeof event & { readonly error?: unknown };
      const actual = levelOf(line, error);
      if (LEVELS.indexOf(actual) < LEVELS.indexOf(level)) return;
      logger[actual](
        { event: name, ...fields, ...(error === undefined ? {} : { err: error }) },
        line.message,
      );
    });
  }
}

function levelOf(line: Line, error: unknown): WrittenLevel {
  if (error === undefined || line.level === 'error') return line.level;
  // A broken constraint is an answer that applications ask for, and an error that is not ours is the reason
  // with which the caller aborted: both are the application's to judge.
  const isExpected = error instanceof ConstraintError || !(error instanceof MillpondError);
  return isExpected ? 'debug' : line.level;
}
