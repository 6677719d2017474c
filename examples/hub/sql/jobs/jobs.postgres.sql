-- name: due_jobs
-- record_class: DueJob
-- column: action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs'
-- column: dueMs!
-- Jobs that are due and that nobody works on, for the transaction that claims them.
select id, name, cron, action, next_run_ms as "dueMs" from jobs
where next_run_ms <= :nowMs and (claimed_until_ms is null or claimed_until_ms < :nowMs)
order by next_run_ms
limit 20
for update skip locked;

-- name: lock_trending$
-- Makes those who fill the same table take turns, until the transaction ends.
-- A lock on rows says which table it touches; an advisory one could be anything, and would empty the cache.
select id from jobs where action = 'refresh-trending' order by id for no key update;

-- name: count_check_ins!
insert into counts (at_ms, checkins)
select cast(extract(epoch from clock_timestamp()) * 1000 as bigint), coalesce(max(id), 0)
from checkins;
