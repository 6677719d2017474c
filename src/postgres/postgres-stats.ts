/** What the engine of a PostgreSQL server has done since it was opened. */
export interface PostgresStats {
  /** Cheap statements, on connections that they share, … */
  readonly shared: number;
  /** … and those that had a connection each, … */
  readonly alone: number;
  /** … and those that were moved from one to the other on their way. */
  readonly movedReads: number;
  readonly groupCommits: number;
  /** The writes in those commits. */
  readonly groupedWrites: number;
}
