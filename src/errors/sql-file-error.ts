import { MillpondError, type ErrorCode, type MillpondErrorOptions } from './millpond-error.ts';

/** One fault in a file of SQL. */
export interface SqlFileProblem {
  /** The file, as the caller would write its path. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  /** What is wrong, and what to write. */
  readonly message: string;
  /** The line with a caret below the place; absent where there is no text to show. */
  readonly excerpt?: string | undefined;
}

/** Problems that the message shows. */
const MOST_SHOWN = 20;

/**
 * SQL files cannot be used as they are. Lists every fault found; `file`, `line` and `column` are the first's.
 */
export class SqlFileError extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_SQL_FILE';
  readonly problems: readonly SqlFileProblem[];
  readonly file: string;
  readonly line: number;
  readonly column: number;

  /** @param problems one at least */
  constructor(problems: readonly SqlFileProblem[], options: MillpondErrorOptions = {}) {
    super(messageOf(problems), options);
    const [first] = problems;
    this.problems = problems;
    this.file = first?.file ?? '';
    this.line = first?.line ?? 1;
    this.column = first?.column ?? 1;
  }
}

function messageOf(problems: readonly SqlFileProblem[]): string {
  const shown = problems.slice(0, MOST_SHOWN).map(({ file, line, column, message, excerpt }) => {
    const place = `${file}:${line}:${column}: ${message}`;
    return excerpt === undefined ? place : `${place}\n${excerpt}`;
  });
  if (problems.length === 1) return shown[0]!;
  const rest = problems.length - shown.length;
  const more = rest > 0 ? [`and ${rest} more`] : [];
  return [`The SQL files have ${problems.length} faults:`, ...shown, ...more].join('\n\n');
}
