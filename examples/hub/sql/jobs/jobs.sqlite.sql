-- name: due_jobs
-- record_class: DueJob
-- column: action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs'
-- column: dueMs!
-- Jobs that are due and that nobody works on, for the transaction that claims them.
select id, name, cron, action, next_run_ms as "dueMs" from jobs
where next_run_ms <= :nowMs and (claimed_until_ms is null or claimed_until_ms < :nowMs)
order by next_run_ms
limit 20;

-- name: refresh_trending#
-- Counts the latest check-ins by city. Writers take turns here, so nothing is locked.
delete from trending;
insert into trending (city_id, checkins)
select city_id, count(*) from (select city_id from checkins order by id desc limit 1000) as latest
group by city_id order by count(*) desc limit 20;

-- name: count_check_ins#
insert into counts (at_ms, checkins)
select cast(unixepoch('subsec') * 1000 as integer), coalesce(max(id), 0) from checkins;
