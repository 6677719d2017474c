export type JobAction = 'refresh-trending' | 'count-check-ins' | 'forget-old-runs';

/** Fills the table, which is empty then, from the latest check-ins. */
export const FILL_TRENDING = `
  insert into trending (city_id, checkins)
  select city_id, count(*) from (select city_id from checkins order by id desc limit 1000) as latest
  group by city_id order by count(*) desc limit 20`;

export const FORGET_OLD_RUNS: readonly string[] = [
  'delete from job_runs where id <= (select max(id) from job_runs) - 1000',
  'delete from counts where id <= (select max(id) from counts) - 1000',
];

/** The jobs of a fresh database. Six fields: the first is seconds. */
export const FIRST_JOBS: readonly { name: string; cron: string; action: JobAction }[] = [
  { name: 'trending cities', cron: '* * * * * *', action: 'refresh-trending' },
  { name: 'check-ins so far', cron: '* * * * * *', action: 'count-check-ins' },
  { name: 'trending cities, again', cron: '* * * * * *', action: 'refresh-trending' },
  { name: 'housekeeping', cron: '*/2 * * * * *', action: 'forget-old-runs' },
];

export const ALL_JOBS = 'select id, name, cron, action from jobs order by id';
export const PLAN_JOB = 'update jobs set next_run_ms = :nextRunMs, claimed_until_ms = null where id = :id';
export const NEXT_DUE = `
  select min(next_run_ms) as "dueMs" from jobs where claimed_until_ms is null or claimed_until_ms < :nowMs`;

/** A claim ends by itself, in case its holder died. */
export const DUE_JOBS = `
  select id, name, cron, action, next_run_ms as "dueMs" from jobs
  where next_run_ms <= :nowMs and (claimed_until_ms is null or claimed_until_ms < :nowMs)
  order by next_run_ms
  limit 20`;
export const CLAIM_JOB = 'update jobs set claimed_until_ms = :untilMs where id = :id';
export const RECORD_RUN = `
  insert into job_runs (job_id, due_ms, started_ms, finished_ms, error)
  values (:id, :dueMs, :startedMs, :finishedMs, :error)`;
