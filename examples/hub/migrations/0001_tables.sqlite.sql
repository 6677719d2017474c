create table cities (
  id          integer primary key,
  name        text    not null,
  alt_name    text    not null,
  country     text    not null,
  admin_code  text    not null,
  feature     text    not null,
  population  integer not null,
  latitude    real    not null,
  longitude   real    not null
) strict;

create table checkins (
  id          integer primary key,
  city_id     integer not null references cities (id),
  visitor     text    not null,
  note        text    not null,
  at_ms       integer not null
) strict;

create table trending (
  city_id     integer primary key references cities (id),
  checkins    integer not null
) strict;

create table counts (
  id          integer primary key,
  at_ms       integer not null,
  checkins    integer not null
) strict;

create table jobs (
  id                integer primary key,
  name              text    not null unique,
  cron              text    not null,
  action            text    not null,
  next_run_ms       integer,
  claimed_until_ms  integer
) strict;

create table job_runs (
  id           integer primary key,
  job_id       integer not null references jobs (id),
  due_ms       integer not null,
  started_ms   integer not null,
  finished_ms  integer not null,
  error        text
) strict;
