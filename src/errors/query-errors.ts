import { MillpondError, type ErrorCode, type MillpondErrorOptions } from './millpond-error.ts';

export interface QueryErrorDetails extends MillpondErrorOptions {
  readonly code?: ErrorCode;
  /** The statement's text. Bound values are never part of it. */
  readonly sql?: string;
  /** The caller's name for the query, when it gave one. */
  readonly queryName?: string;
}

/**
 * The database refused or failed a statement. The statement had no effect. The engine's own error is in
 * `cause`.
 */
export class QueryExecutionError extends MillpondError {
  readonly code: ErrorCode;
  readonly sql: string | undefined;
  readonly queryName: string | undefined;

  constructor(message: string, details: QueryErrorDetails = {}) {
    super(message, details);
    this.code = details.code ?? 'ERR_MILLPOND_QUERY';
    this.sql = details.sql;
    this.queryName = details.queryName;
  }
}

export type ConstraintKind = 'unique' | 'foreign-key' | 'not-null' | 'check';

export interface ConstraintErrorDetails extends QueryErrorDetails {
  readonly kind: ConstraintKind;
  readonly table?: string;
  readonly columns?: readonly string[];
}

/** A write broke a constraint of the schema. */
export class ConstraintError extends QueryExecutionError {
  readonly kind: ConstraintKind;
  /** The table, where the engine names it. */
  readonly table: string | undefined;
  /** The columns, where the engine names them. */
  readonly columns: readonly string[];

  constructor(message: string, details: ConstraintErrorDetails) {
    super(message, { code: 'ERR_MILLPOND_CONSTRAINT', ...details });
    this.kind = details.kind;
    this.table = details.table;
    this.columns = details.columns ?? [];
  }
}

/** A write where only reads are allowed: a read-only transaction, lease or database. */
export class ReadOnlyError extends QueryExecutionError {
  constructor(message: string, details: QueryErrorDetails = {}) {
    super(message, { code: 'ERR_MILLPOND_READ_ONLY', ...details });
  }
}
