import { UsageError } from '../errors/index.ts';

/** The error of an engine that has no COPY. */
export function noCopyError(): UsageError {
  return new UsageError('COPY is PostgreSQL’s. On SQLite, insert many rows with db.batch.');
}
