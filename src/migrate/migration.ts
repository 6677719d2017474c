/** One statement of a migration, and where it stands. */
export interface MigrationStatement {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

/** What one direction of a migration does. */
export interface MigrationProgram {
  /** The path of the file, with the folder as the caller gave it. */
  readonly file: string;
  readonly statements: readonly MigrationStatement[];
  /** False where the file says that its statements cannot run in a transaction. */
  readonly inTransaction: boolean;
  /** True where SQLite must not act on foreign keys while it runs: a table is being rebuilt. */
  readonly withoutForeignKeys: boolean;
}

/** One migration, as its folder has it. */
export interface Migration {
  /** What the history calls it: the file's name without its endings, or the tag in drizzle-kit's journal. */
  readonly name: string;
  /** SHA-256 of the text, the same with any line endings. */
  readonly checksum: string;
  readonly up: MigrationProgram;
  readonly down: MigrationProgram | undefined;
}
