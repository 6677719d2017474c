create table cities (
  id          bigint           primary key,
  name        text             not null,
  alt_name    text             not null,
  country     text             not null,
  admin_code  text             not null,
  feature     text             not null,
  population  integer          not null,
  latitude    double precision not null,
  longitude   double precision not null
);

create table checkins (
  id          bigint generated always as identity primary key,
  city_id     bigint not null references cities (id),
  visitor     text   not null,
  note        text   not null,
  at_ms       bigint not null
);

create table trending (
  city_id     bigint primary key references cities (id),
  checkins    bigint not null
);

create table counts (
  id          bigint generated always as identity primary key,
  at_ms       bigint not null,
  checkins    bigint not null
);

create table jobs (
  id                bigint generated always as identity primary key,
  name              text   not null unique,
  cron              text   not null,
  action            text   not null,
  next_run_ms       bigint,
  claimed_until_ms  bigint
);

create table job_runs (
  id           bigint generated always as identity primary key,
  job_id       bigint not null references jobs (id),
  due_ms       bigint not null,
  started_ms   bigint not null,
  finished_ms  bigint not null,
  error        text
);
