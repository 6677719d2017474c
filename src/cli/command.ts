import type { OpenOptions } from './open.ts';

/** What a command has to say: for programs, and for people. */
export interface CommandResult {
  /** Printed with `--json`. */
  readonly json: object;
  /** Printed without. */
  readonly text: string;
  /** @default ExitCode.ok */
  readonly exitCode?: number;
}

/** What every command knows of the call. */
export interface CommandContext extends OpenOptions {
  /** One JSON document on standard output, and nothing else. */
  readonly json: boolean;
  /** A person is watching: progress and questions are welcome. */
  readonly isTty: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** How the process ends. Documented in docs/cli.md. */
export const ExitCode = {
  ok: 0,
  /** The command ran, and what it looked at is not in order; or its work failed. */
  failed: 1,
  /** The call or the configuration is wrong; nothing was done. */
  usage: 2,
  /** The database cannot be reached. */
  connection: 3,
  /** Ctrl-C. */
  interrupted: 130,
} as const;
