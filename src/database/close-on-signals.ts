import { constants } from 'node:os';
import type { Logger, LogLevel } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import { createLogger } from './logger.ts';
import { openDatabases } from './registry.ts';
import { Shutdown, type Closeable } from './shutdown.ts';

export interface CloseOnSignalsOptions {
  /**
   * Longest the whole may take, in milliseconds; then the process ends with code 1. Below what the supervisor
   * waits for (Docker: 10 s).
   * @default 9_000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Longest each step except the databases may take, in milliseconds: then a server's connections are cut,
   * and anything else that hangs is left behind.
   * @default 4_000
   */
  readonly stepTimeoutMs?: number | undefined;
  /**
   * How long servers go on accepting after the signal, in milliseconds: the time a load balancer needs to
   * notice that `signal` turned readiness down. Not after an error.
   * @default 0
   */
  readonly delayMs?: number | undefined;
  /** False: no signal is listened to, and only `close()` begins the shutdown. @default true */
  readonly signals?: boolean | undefined;
  /** A level, or a logger. @default 'info' */
  readonly log?: LogLevel | Logger | undefined;
}

/** A shutdown that waits for its signal. */
export interface SignalShutdown extends Disposable {
  /** Aborted when the shutdown begins: for readiness, and for streams that would never end. */
  readonly signal: AbortSignal;
  /** Shuts down now, and leaves the process running. @returns whether all was closed, and in time */
  close(): Promise<boolean>;
  /** Takes the listeners off; nothing is closed. So does leaving the scope of `using`. */
  off(): void;
}

type LimitName = 'timeoutMs' | 'stepTimeoutMs' | 'delayMs';
type ShutdownLimits = Readonly<Record<LimitName, number>>;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const DEFAULTS: ShutdownLimits = Object.freeze({ timeoutMs: 9_000, stepTimeoutMs: 4_000, delayMs: 0 });
const LIMIT_NAMES = Object.keys(DEFAULTS);
const LONGEST_MS = 3_600_000;
const FAILED = 1;
/** A process that a signal ended: https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html */
const SIGNALLED = 128;

/**
 * Ends the process in order on SIGTERM, SIGINT, an uncaught exception or an unhandled rejection: what is
 * listed is closed one after the other (a server stops accepting and finishes its requests), then every
 * database that is open, then the process ends: with code 0 after a signal, 1 after an error or where
 * something did not close. A second signal ends it at once.
 *
 * @throws ConfigError listing every fault of the options
 */
export function closeOnSignals(
  closeables: Closeable | readonly Closeable[] = [],
  given: CloseOnSignalsOptions = {},
): SignalShutdown {
  const limits = resolveLimits(given);
  const write = writer(given.log ?? 'info');
  const shutdown = new Shutdown({
    ...limits,
    closeables: Array.isArray(closeables) ? (closeables as readonly Closeable[]) : [closeables as Closeable],
    databases: openDatabases,
    onFailure: (error, what) => write('error', { err: error, what }, 'could not be closed in order'),
  });
  const listeners = given.signals === false ? undefined : listen({ shutdown, write, limits });
  const off = (): void => {
    listeners?.off();
    shutdown.off();
  };
  return {
    signal: shutdown.signal,
    close: async () => {
      listeners?.off();
      return shutdown.run(new Error('close() was called'), 0);
    },
    off,
    [Symbol.dispose]: off,
  };
}

type Write = (level: 'info' | 'error', fields: object, message: string) => void;

interface Listening {
  readonly shutdown: Shutdown;
  readonly write: Write;
  readonly limits: ShutdownLimits;
}

/** The listeners of the process, and what they do. */
function listen({ shutdown, write, limits }: Listening): { off(): void } {
  let exitCode: number | undefined;
  const end = (code: number, reason: unknown): void => {
    const delayMs = code === 0 ? limits.delayMs : 0;
    const isFirst = exitCode === undefined;
    exitCode = Math.max(exitCode ?? 0, code);
    if (!isFirst) return;
    // The final limit: whatever hangs, nothing outlives it.
    setTimeout(() => process.exit(FAILED), delayMs + limits.timeoutMs);
    void shutdown.run(reason, delayMs).then((clean) => process.exit(clean ? exitCode : FAILED));
  };
  const onSignal = (name: NodeJS.Signals): void => {
    write('info', { signal: name }, exitCode === undefined ? 'shutting down' : 'ending at once');
    if (exitCode !== undefined) process.exit(SIGNALLED + constants.signals[name]);
    end(0, new Error(`${name} was received`));
  };
  const onError = (error: unknown, origin: string): void => {
    write('error', { err: error, origin }, 'shutting down after an error that nobody handled');
    end(FAILED, error);
  };
  const onRejection = (error: unknown): void => onError(error, 'unhandledRejection');
  for (const name of SIGNALS) process.on(name, onSignal);
  process.on('uncaughtException', onError).on('unhandledRejection', onRejection);
  return {
    off: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.off('uncaughtException', onError).off('unhandledRejection', onRejection);
    },
  };
}

function writer(log: LogLevel | Logger): Write {
  const target = createLogger(log);
  return (level, fields, message) => {
    if (target === undefined) return;
    const isWanted = level === 'error' || target.level === 'info' || target.level === 'debug';
    if (isWanted) target.logger[level](fields, message);
  };
}

function resolveLimits(given: CloseOnSignalsOptions): ShutdownLimits {
  const limits: Record<LimitName, number> = { ...DEFAULTS };
  const problems: ConfigProblem[] = [];
  const report = (key: string, message: string): void =>
    void problems.push({ key: `closeOnSignals.${key}`, message, source: 'options' });
  for (const [key, value] of Object.entries(given)) {
    // Whoever makes lines with the logger checks it.
    if (value === undefined || key === 'log' || key === 'signals') continue;
    if (!isLimitName(key)) report(key, `is no option; there are ${LIMIT_NAMES.join(', ')}, signals and log`);
    else if (isLimit(value)) limits[key] = value;
    else report(key, `must be milliseconds from 0 to ${LONGEST_MS}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return limits;
}

function isLimitName(key: string): key is LimitName {
  return Object.hasOwn(DEFAULTS, key);
}

function isLimit(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_MS;
}
