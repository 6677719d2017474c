-- name: latest$
select max(due) from jobs
