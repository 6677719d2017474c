import { MillpondError, type ErrorCode, type MillpondErrorOptions } from './millpond-error.ts';

/**
 * What is wrong with a migration. Of the folder: `file`, `name`, `duplicate`, `empty`, `syntax`, `journal`.
 * Of the history: `edited`, `renamed`, `reordered`, `missing`. Of a run: `failed`, `locked`, `dirty`,
 * `irreversible`, `not-found`.
 */
export type MigrationFaultKind =
  | 'file'
  | 'name'
  | 'duplicate'
  | 'empty'
  | 'syntax'
  | 'journal'
  | 'edited'
  | 'renamed'
  | 'reordered'
  | 'missing'
  | 'failed'
  | 'locked'
  | 'dirty'
  | 'irreversible'
  | 'not-found';

export interface MigrationFault {
  readonly kind: MigrationFaultKind;
  /** What is wrong, and what to do about it. */
  readonly message: string;
  /** The path of the file, with the folder as the caller gave it. */
  readonly file?: string | undefined;
  /** Counted from 1. */
  readonly line?: number | undefined;
  /** Counted from 1. */
  readonly column?: number | undefined;
}

/** Migrations cannot go on. Lists every fault found; nothing was changed unless the message says so. */
export class MigrationError extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_MIGRATION';
  readonly faults: readonly [MigrationFault, ...MigrationFault[]];

  constructor(faults: readonly [MigrationFault, ...MigrationFault[]], options: MillpondErrorOptions = {}) {
    super(messageOf(faults), options);
    this.faults = faults;
  }

  /** Of the first fault. */
  get kind(): MigrationFaultKind {
    return this.faults[0].kind;
  }

  /** Of the first fault. */
  get file(): string | undefined {
    return this.faults[0].file;
  }

  /** Of the first fault. */
  get line(): number | undefined {
    return this.faults[0].line;
  }
}

function messageOf(faults: readonly [MigrationFault, ...MigrationFault[]]): string {
  if (faults.length === 1) return describeFault(faults[0]);
  const lines = faults.map((fault) => `  - ${describeFault(fault)}`);
  return `The migrations have ${faults.length} faults:\n${lines.join('\n')}`;
}

function describeFault({ file, line, column, message }: MigrationFault): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return place === '' ? message : `${place}: ${message}`;
}
