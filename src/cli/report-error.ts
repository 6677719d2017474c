import {
  ConfigError,
  ConnectionError,
  ConnectionPoolExhaustedError,
  MigrationError,
  MillpondError,
  SqlFileError,
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
  const faults = faultsOf(error);
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

function faultsOf(error: MillpondError): readonly object[] | undefined {
  if (error instanceof MigrationError) return error.faults;
  return error instanceof ConfigError || error instanceof SqlFileError ? error.problems : undefined;
}

function exitCodeOf(error: MillpondError): number {
  if (error instanceof ConfigError || error instanceof UsageError) return ExitCode.usage;
  if (error instanceof ConnectionError || error instanceof ConnectionPoolExhaustedError)
    return ExitCode.connection;
  return ExitCode.failed;
}
