/**
 * `src/queries.ts` of the starter, as "millpond generate" writes it. It cannot be generated in place: the
 * configuration beside it needs millpond to be installed.
 */
export const STARTER_QUERIES = `// Written by "millpond generate". Change the SQL and run it again.
import {
  bindQueries,
  type BindOptions,
  type QueryDatabase,
  type SqlSource,
  type ExactReturningQuery,
  type ManyQuery,
} from 'millpond/queries';

export interface ListNotesRow {
  readonly id: number;
  readonly body: string;
  readonly created_at: string;
}

/** The queries of 1 file. */
export interface Queries {
  /**
   * Reads notes. Writes notes. notes.sql:5
   */
  readonly addNote: ExactReturningQuery<{ readonly body: string; readonly created_at: string }, number>;
  /**
   * The newest first.
   *
   * Reads notes. notes.sql:1
   */
  readonly listNotes: ManyQuery<{ readonly limit: number }, ListNotesRow>;
}

/** The queries, on a database. */
export function createQueries(db: QueryDatabase, options?: BindOptions): Queries {
  return bindQueries<Queries>(db, SOURCES, options);
}

const SOURCES: readonly SqlSource[] = [
  {
    file: 'notes.sql',
    folders: [],
    text: \`-- name: list_notes
-- The newest first.
select id, body, created_at from notes order by id desc limit :limit;

-- name: add_note<!
insert into notes (body, created_at) values (:body, :created_at) returning id;
\`,
  },
];
`;
