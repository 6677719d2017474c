-- name: all_jobs
-- record_class: Job
-- column: action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs'
select id, name, cron, action from jobs order by id;

-- name: add_job*!
insert into jobs (name, cron, action) values (:name, :cron, :action);

-- name: plan_job(id, nextRunMs?)!
-- Says when it is due next, never where that is null, and ends the claim on it.
update jobs set next_run_ms = :nextRunMs, claimed_until_ms = null where id = :id;

-- name: next_due$
-- When the next job that nobody works on is due.
select min(next_run_ms) as "dueMs" from jobs where claimed_until_ms is null or claimed_until_ms < :nowMs;

-- name: claim_job*!
-- A claim ends by itself, in case its holder died.
update jobs set claimed_until_ms = :untilMs where id = :id;

-- name: record_run(id, dueMs, startedMs, finishedMs, error?)!
insert into job_runs (job_id, due_ms, started_ms, finished_ms, error)
values (:id, :dueMs, :startedMs, :finishedMs, :error);

-- name: forget_old_runs!
delete from job_runs where id <= (select max(id) from job_runs) - 1000;

-- name: forget_old_counts!
delete from counts where id <= (select max(id) from counts) - 1000;

-- name: clear_trending!
delete from trending;

-- name: fill_trending!
-- Counts the latest check-ins by city.
insert into trending (city_id, checkins)
select city_id, count(*) from (select city_id from checkins order by id desc limit 1000) as latest
group by city_id order by count(*) desc limit 20;
