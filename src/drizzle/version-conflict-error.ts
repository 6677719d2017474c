import { MillpondError, type ErrorCode } from '../errors/index.ts';

/**
 * The row was changed since the version that the update names was read. Nothing was written: read the row
 * again, and decide again.
 */
export class VersionConflictError extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_VERSION_CONFLICT';
  readonly table: string;

  constructor(table: string) {
    super(`A row of "${table}" was changed after it was read: read it again, and decide anew.`);
    this.table = table;
  }
}
