-- name: get_job^
-- record_class: Job
-- One job by its number.
--   `quoted` ${not} */ closed
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
