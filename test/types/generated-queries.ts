// Written by "millpond generate". Change the SQL and run it again.
import {
  bindQueries,
  type BindOptions,
  type QueryDatabase,
  type SqlSource,
  type AffectedQuery,
  type EachQuery,
  type ExactReturningQuery,
  type ExactValueQuery,
  type ManyQuery,
  type OneQuery,
  type ScriptQuery,
} from '../../src/queries/index.ts';

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly queue: string | null;
}

export interface JobsNotesRow {
  readonly note: string;
  readonly name: string | null;
  readonly doc: { readonly a: number };
}

/** The queries of 2 files. */
export interface Queries {
  /**
   * Reads jobs. top.sql:1
   */
  readonly latest: ExactValueQuery<void, number | string | null>;
  readonly jobs: {
    /**
     * Reads jobs, runs. Writes jobs. jobs/jobs.sql:14
     */
    readonly addJob: ExactReturningQuery<{ readonly job: { readonly name: string } & { readonly queue: string | null } }, number>;
    /**
     * Writes jobs. jobs/jobs.sql:16
     */
    readonly addJobs: EachQuery<{ readonly id: number | bigint; readonly name: string; readonly due: string | number | Date | null }>;
    /**
     * Reads jobs. jobs/jobs.sql:12
     */
    readonly countJobs: ExactValueQuery<void, number>;
    /**
     * One job by its number.
     *   `quoted` ${not} * / closed
     *
     * Reads jobs. jobs/jobs.sql:1
     */
    readonly getJob: OneQuery<{ readonly id: number | bigint }, Job>;
    /**
     * Reads jobs. jobs/jobs.sql:6
     */
    readonly listJobs: ManyQuery<{ readonly queue?: string | undefined; readonly ids?: readonly (number | bigint)[] | undefined; readonly limit: number; readonly due?: boolean | undefined; readonly sort?: 'newest' | 'by-name' | undefined }, Job>;
    /**
     * Reads jobs, runs. jobs/jobs.sql:23
     */
    readonly notes: ManyQuery<void, JobsNotesRow>;
    /**
     * Reads jobs. Writes jobs. jobs/jobs.sql:18
     */
    readonly rename: AffectedQuery<{ readonly name: 'a' | 'b'; readonly id: number | bigint }>;
    /**
     * Reads jobs, runs. Writes jobs, runs. jobs/jobs.sql:21
     */
    readonly reset: ScriptQuery;
  };
}

/** The queries, on a database. */
export function createQueries(db: QueryDatabase, options?: BindOptions): Queries {
  return bindQueries<Queries>(db, SOURCES, options);
}

const SOURCES: readonly SqlSource[] = [
  {
    file: 'jobs/jobs.sql',
    folders: ['jobs'],
    text: `-- name: get_job^
-- record_class: Job
-- One job by its number.
--   \`quoted\` \${not} */ closed
select id, name, queue from jobs where id = :id
-- name: list_jobs
-- record_class: Job
-- choice: sort.newest = id desc
-- choice: sort.by-name = name
select id, name, queue from jobs where true /*[*/ and queue = :queue /*]*/ /*[*/ and id in :ids /*]*/
/*[ due */ and due is not null /*]*/ order by :sort limit :limit
-- name: count_jobs$
select count(*) from jobs
-- name: add_job<!
insert into jobs (name, queue) values (:job.name, :job.queue) returning id
-- name: add_jobs*!
insert into jobs (id, name, due) values (:id, :name, :due)
-- name: rename!
-- param: name: 'a' | 'b'
update jobs set name = :name where id = :id
-- name: reset#
delete from jobs; delete from runs;
-- name: notes
-- column: note!
-- column: doc: { readonly a: number }
select r.note, j.name, json_object('a', 1) as doc from runs r left join jobs j on j.id = r.job_id
`,
  },
  {
    file: 'top.sql',
    folders: [],
    text: `-- name: latest$
select max(due) from jobs
`,
  },
];
