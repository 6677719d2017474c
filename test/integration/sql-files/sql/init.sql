create table jobs (id integer primary key, name text not null, queue text, due datetime);
create table runs (id integer primary key, job_id int not null references jobs, note text);
