/** How many rows a statement gives, as far as the engine's plan tells. */
export type RowCount = 'none' | 'one' | 'optional' | 'many';

/** What is known of a value, in TypeScript's words. */
export interface ValueShape {
  /** A TypeScript type without null; `unknown` includes null. */
  readonly type: string;
  readonly nullable: boolean;
}

export interface ColumnShape extends ValueShape {
  readonly name: string;
}

/** What a statement is, as its engine says without running it. */
export interface StatementShape {
  readonly writes: boolean;
  readonly rows: RowCount;
  readonly columns: readonly ColumnShape[];
  /** One for each placeholder, by its number; undefined where nothing is known. */
  readonly parameters: readonly (ValueShape | undefined)[];
  readonly tablesRead: readonly string[];
  readonly tablesWritten: readonly string[];
}

/** The calls of a database by which statements are described. Nothing but EXPLAIN and the catalog is run. */
export interface ShapeSource {
  readonly dialect: 'sqlite' | 'postgres';
  describe(text: string): Promise<StatementDescription>;
  all<Row>(text: string, params?: readonly unknown[]): Promise<Row[]>;
  batch<Row>(statements: readonly string[]): Promise<{ readonly rows: readonly Row[] }[]>;
}

interface StatementDescription {
  readonly writes: boolean;
  readonly tablesRead: readonly string[];
  readonly tablesWritten: readonly string[];
  readonly columns: readonly {
    readonly name: string;
    readonly type: string | undefined;
    readonly table: string | undefined;
    readonly column: string | undefined;
  }[];
  readonly parameters: readonly { readonly type: string | undefined }[];
}

/** Describes statements of one database, and remembers its schema while it does. */
export interface ShapeReader {
  shapeOf(text: string): Promise<StatementShape>;
}
