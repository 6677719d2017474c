-- name: due_jobs
-- record_class: DueJob
-- column: action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs'
-- column: dueMs!
-- Jobs that are due and that nobody works on, for the transaction that claims them.
select id, name, cron, action, next_run_ms as "dueMs" from jobs
where next_run_ms <= :nowMs and (claimed_until_ms is null or claimed_until_ms < :nowMs)
order by next_run_ms
limit 20;

-- name: lock_trending$
-- Makes those who fill the same table take turns, which writers do here anyway.
select true;

-- name: count_check_ins!
insert into counts (at_ms, checkins)
select cast(unixepoch('subsec') * 1000 as integer), coalesce(max(id), 0) from checkins;
