import {
  ConfigError,
  ConnectionError,
  ConnectionPoolExhaustedError,
  MigrationError,
  MillpondError,
  UsageError,
} from '../errors/index.ts';
import { ExitCode } from './command.ts';

export interface ErrorReport {
  readonly exitCode: number;
  readonly json: object;
  readonly text: string;
}

/** What people and programs are told of an error. A stack is for errors that nobody foresaw. */
export function reportError(error: unknown): ErrorReport {
  if (!(error instanceof MillpondError)) return reportForeign(error);
  const { code, message, retryable } = error;
  const faults =
    error instanceof MigrationError
      ? error.faults
      : error instanceof ConfigError
        ? error.problems
        : undefined;
  return {
    exitCode: exitCodeOf(error),
    json: { code, message, retryable, ...(faults === undefined ? {} : { faults }) },
    text: `${message}\n(${code})`,
  };
}

function reportForeign(error: unknown): ErrorReport {
  if (error instanceof Error && error.name === 'AbortError') {
    const message = 'Interrupted.';
    return { exitCode: ExitCode.interrupted, json: { code: 'INTERRUPTED', message }, text: message };
  }
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof Error && !('code' in error) ? (error.stack ?? message) : message;
  return { exitCode: ExitCode.failed, json: { code: 'UNEXPECTED', message }, text };
}

function exitCodeOf(error: MillpondError): number {
  if (error instanceof ConfigError || error instanceof UsageError) return ExitCode.usage;
  if (error instanceof ConnectionError || error instanceof ConnectionPoolExhaustedError)
    return ExitCode.connection;
  return ExitCode.failed;
}
