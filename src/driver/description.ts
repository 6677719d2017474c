/** What a statement is, as its engine says without running it. */
export interface StatementDescription {
  readonly writes: boolean;
  /** Triggers, views and cascades included. */
  readonly tablesRead: readonly string[];
  readonly tablesWritten: readonly string[];
  /** Empty for a statement without rows. */
  readonly columns: readonly ColumnDescription[];
  /** One for each value that the engine is given, in its order. */
  readonly parameters: readonly ParameterDescription[];
}

export interface ColumnDescription {
  readonly name: string;
  /**
   * The declared type on SQLite, the name of the type on PostgreSQL; undefined for an expression on SQLite.
   */
  readonly type: string | undefined;
  /** The table and column that the values come from as they are; undefined for an expression. */
  readonly table: string | undefined;
  readonly column: string | undefined;
}

export interface ParameterDescription {
  /** Of a `:name` placeholder. */
  readonly name: string | undefined;
  /** The name of the type on PostgreSQL; SQLite's parameters have none. */
  readonly type: string | undefined;
}
