import { pino, type Logger as PinoLogger } from 'pino';
import type { Logger, LogLevel } from '../config/index.ts';

/** A logger, with the lowest level that it writes. */
export interface LeveledLogger {
  readonly logger: Logger;
  readonly level: Exclude<LogLevel, 'silent'>;
}

const STDOUT = 1;
let shared: PinoLogger | undefined;

/**
 * The logger of a database. One given by the application decides by itself what it writes; ours writes JSON
 * lines to standard output from a buffer, so that no statement waits for a terminal or a pipe.
 *
 * @returns undefined where nothing is to be written
 */
export function createLogger(log: LogLevel | Logger): LeveledLogger | undefined {
  if (log === 'silent') return undefined;
  if (typeof log === 'string') return { logger: ownLogger(), level: log };
  return { logger: log, level: levelOf(log) };
}

function ownLogger(): Logger {
  // The levels are filtered before a line is made, by not listening: pino itself lets everything through.
  const options = { name: 'millpond', level: 'trace', serializers: { err: toFields } };
  shared ??= pino(options, pino.destination({ fd: STDOUT, sync: false }));
  return shared;
}

/** As pino's own, which appends the messages of causes: ours say already what their cause does. */
export function toFields(error: Error): Readonly<Record<string, unknown>> {
  return { ...pino.stdSerializers.err(error), message: error.message };
}

/** Pino-like loggers say which levels they write; of other loggers every level is taken to be wanted. */
function levelOf(logger: Logger): LeveledLogger['level'] {
  const { isLevelEnabled } = logger as Partial<Pick<PinoLogger, 'isLevelEnabled'>>;
  if (typeof isLevelEnabled !== 'function') return 'debug';
  const enabled = (level: string) => isLevelEnabled.call(logger as PinoLogger, level);
  return (['debug', 'info', 'warn'] as const).find(enabled) ?? 'error';
}
