import type { Database } from '../database/index.ts';
import { readSqlFolder, selectInitScript } from '../sqlfile/index.ts';
import { bindFolder, type BindOptions, type UntypedQueries } from './bind-queries.ts';
import { runInitScript } from './init-script.ts';

export interface LoadOptions extends BindOptions {
  /** Runs `init.sql` of the folder, if there is one and the database has no table yet. @default true */
  readonly init?: boolean | undefined;
}

/**
 * Reads a folder of `.sql` files and gives its queries as functions: `queries.jobs.getJobById({ id })` for
 * `-- name: get_job_by_id^` in `sql/jobs/`. See docs/sql-files.md.
 * @throws SqlFileError listing every fault with its file, line and column
 */
export async function loadQueries<Queries extends object = UntypedQueries>(
  db: Database,
  path = 'sql',
  { init = true, ...options }: LoadOptions = {},
): Promise<Queries> {
  const folder = await readSqlFolder(path);
  const queries = bindFolder<Queries>(db, folder, options);
  const script = selectInitScript(folder.initScripts, db.dialect);
  if (init && script !== undefined) await runInitScript(db, script);
  return queries;
}
