/** The tables. Indexes come after the load, which is faster that way. */
export const TABLES = `
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
`;

/** Full-text search over the names, an r-tree over the places, and the ordinary indexes. */
export const INDEXES = `
  create index cities_by_country on cities (country, population desc);
  create index checkins_by_city on checkins (city_id, at_ms);

  create virtual table city_names using fts5 (
    name, alt_name, content = 'cities', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
  );
  insert into city_names (city_names) values ('rebuild');
  insert into city_names (city_names) values ('optimize');

  create virtual table city_places using rtree (id, min_latitude, max_latitude, min_longitude, max_longitude);
  insert into city_places select id, latitude, latitude, longitude, longitude from cities;

  analyze;
`;
