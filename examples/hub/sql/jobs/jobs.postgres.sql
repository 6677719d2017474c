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

-- name: refresh_trending#
-- Counts the latest check-ins by city. Writers do not take turns by themselves here: two of a kind wait.
select pg_advisory_xact_lock(hashtext('trending'));
delete from trending;
insert into trending (city_id, checkins)
select city_id, count(*) from (select city_id from checkins order by id desc limit 1000) as latest
group by city_id order by count(*) desc limit 20;

-- name: count_check_ins#
insert into counts (at_ms, checkins)
select cast(extract(epoch from clock_timestamp()) * 1000 as bigint), coalesce(max(id), 0)
from checkins;
