import type { DialectSql } from './dialect.ts';
import { DUE_JOBS, FILL_TRENDING, FORGET_OLD_RUNS } from './jobs.ts';

const TABLES = `
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
`;

/** Full-text search over the names, an r-tree over the places, and the ordinary indexes. */
const INDEXES = `
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

/** FTS5 reads `"`, `*` and words like NEAR as operators: each word is quoted. */
const SEARCH_CITIES = `
  select cities.id, cities.name, country, population, latitude, longitude
  from city_names join cities on cities.id = city_names.rowid
  where city_names match '"' || replace(:words, ' ', '" "') || '"*'
  order by population desc
  limit 20`;

const CITIES_NEAR = `
  select * from (
    select cities.id, name, country, population, latitude, longitude,
      round(2 * 6371.0 * asin(sqrt(
        pow(sin(radians(latitude - :latitude) / 2), 2) +
        cos(radians(:latitude)) * cos(radians(latitude)) * pow(sin(radians(longitude - :longitude) / 2), 2)
      )), 1) as km
    from city_places join cities using (id)
    where max_latitude >= :south and min_latitude <= :north
      and max_longitude >= :west and min_longitude <= :east
  )
  where km <= :radiusKm
  order by km
  limit 10`;

const CROWDED_PLACES = `
  with large as materialized (
    select id, name, country, latitude, longitude from cities order by population desc limit :among
  )
  select large.id, large.name, large.country, count(*) as neighbours
  from large join city_places as place
    on place.max_latitude >= large.latitude - 0.25 and place.min_latitude <= large.latitude + 0.25
   and place.max_longitude >= large.longitude - 0.25 and place.min_longitude <= large.longitude + 0.25
  group by large.id
  order by neighbours desc
  limit 10`;

/** What SQLite has its own words for: FTS5, r-trees, the clock. Its writers take turns: nothing is locked. */
export const SQLITE_SQL: DialectSql = {
  tables: TABLES,
  indexes: INDEXES,
  searchCities: SEARCH_CITIES,
  citiesNear: CITIES_NEAR,
  crowdedPlaces: CROWDED_PLACES,
  dueJobs: DUE_JOBS,
  jobActions: {
    'refresh-trending': ['delete from trending', FILL_TRENDING],
    'count-check-ins': [
      `insert into counts (at_ms, checkins)
       select cast(unixepoch('subsec') * 1000 as integer), coalesce(max(id), 0) from checkins`,
    ],
    'forget-old-runs': FORGET_OLD_RUNS,
  },
};
