import type { DialectSql } from './dialect.ts';
import { DUE_JOBS, FILL_TRENDING, FORGET_OLD_RUNS } from './jobs.ts';

const TABLES = `
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
`;

/** Full-text search over the names, a GiST index over the places, and the ordinary indexes. */
const INDEXES = `
  create index cities_by_country on cities (country, population desc);
  create index checkins_by_city on checkins (city_id, at_ms);

  create function without_accents(given text) returns text
    language sql immutable strict parallel safe
    return lower(regexp_replace(normalize(given, nfd), '[\\u0300-\\u036f]', '', 'g'));

  create table city_names as
    select id, to_tsvector('simple', regexp_replace(
      without_accents(name || ' ' || alt_name), '[^[:alnum:]]+', ' ', 'g')) as words
    from cities;
  alter table city_names add primary key (id);
  create index city_names_by_word on city_names using gin (words);

  create index cities_by_place on cities using gist (point(longitude, latitude));

  analyze;
`;

/** Each word is quoted, and the last one is a prefix. */
const SEARCH_CITIES = `
  select cities.id, cities.name, country, population, latitude, longitude
  from city_names join cities on cities.id = city_names.id
  where words @@ cast('''' || replace(without_accents(:words), ' ', ''' & ''') || ''':*' as tsquery)
  order by population desc
  limit 20`;

const CITIES_NEAR = `
  select * from (
    select id, name, country, population, latitude, longitude,
      cast(round(cast(2 * 6371.0 * asin(sqrt(
        pow(sin(radians(latitude - :latitude) / 2), 2) +
        cos(radians(:latitude)) * cos(radians(latitude)) * pow(sin(radians(longitude - :longitude) / 2), 2)
      )) as numeric), 1) as double precision) as km
    from cities
    where point(longitude, latitude) <@ box(point(:west, :south), point(:east, :north))
  ) as candidates
  where km <= :radiusKm
  order by km
  limit 10`;

const CROWDED_PLACES = `
  with large as materialized (
    select id, name, country, latitude, longitude from cities order by population desc limit :among
  )
  select large.id, large.name, large.country, count(*) as neighbours
  from large join cities as place
    on point(place.longitude, place.latitude) <@ box(
      point(large.longitude - 0.25, large.latitude - 0.25),
      point(large.longitude + 0.25, large.latitude + 0.25))
  group by large.id, large.name, large.country
  order by neighbours desc
  limit 10`;

/**
 * What PostgreSQL has its own words for: tsvector, GiST, the clock, types. Writers do not take turns by
 * themselves here, so two of a kind say whom they wait for.
 */
export const POSTGRES_SQL: DialectSql = {
  tables: TABLES,
  indexes: INDEXES,
  searchCities: SEARCH_CITIES,
  citiesNear: CITIES_NEAR,
  crowdedPlaces: CROWDED_PLACES,
  dueJobs: `${DUE_JOBS} for update skip locked`,
  jobActions: {
    'refresh-trending': [
      "select pg_advisory_xact_lock(hashtext('trending'))",
      'delete from trending',
      FILL_TRENDING,
    ],
    'count-check-ins': [
      `insert into counts (at_ms, checkins)
       select cast(extract(epoch from clock_timestamp()) * 1000 as bigint), coalesce(max(id), 0)
       from checkins`,
    ],
    'forget-old-runs': FORGET_OLD_RUNS,
  },
};
