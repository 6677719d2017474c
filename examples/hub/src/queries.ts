// Written by "millpond generate". Change the SQL and run it again.
import {
  bindQueries,
  type BindOptions,
  type QueryDatabase,
  type SqlSource,
  type AffectedQuery,
  type EachQuery,
  type ExactValueQuery,
  type ManyQuery,
  type OneQuery,
  type ReturningQuery,
  type ScriptQuery,
} from './millpond/queries.ts';

export interface CitiesCitiesNearRow {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly km: number | null;
}

export interface CitiesCrowdedPlacesRow {
  readonly id: unknown;
  readonly name: unknown;
  readonly country: unknown;
  readonly neighbours: number;
}

export interface CitiesSampleCitiesRow {
  readonly id: number | null;
  readonly name: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

export interface CitiesSearchCitiesRow {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}

export interface City {
  readonly id: number;
  readonly name: string;
  readonly alt_name: string;
  readonly country: string;
  readonly admin_code: string;
  readonly feature: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}

export interface DueJob {
  readonly id: number;
  readonly name: string;
  readonly cron: string;
  readonly action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs';
  readonly dueMs: number;
}

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly cron: string;
  readonly action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs';
}

export interface ReportsNamesakesRow {
  readonly name: unknown;
  readonly countries: number;
  readonly spread: number | null;
}

export interface ReportsRankingRow {
  readonly country: unknown;
  readonly name: unknown;
  readonly population: unknown;
  readonly position: number | null;
  readonly share: number | string | null;
  readonly usual: number | string | null;
}

export interface ReportsSquaresRow {
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly name: unknown;
  readonly people: number | null;
}

/** The queries of 7 files. */
export interface Queries {
  readonly cities: {
    /**
     * Gives the new id. An unknown city is refused by the foreign key.
     *
     * Reads checkins, cities. Writes checkins. cities/cities.sql:8
     */
    readonly checkIn: ReturningQuery<{ readonly cityId: number | bigint; readonly visitor: string; readonly note: string; readonly atMs: number | bigint }, number>;
    /**
     * The nearest cities by great-circle distance; an index finds candidates in the box around the circle.
     *
     * Reads cities, city_places. cities/cities.sqlite.sql:10
     */
    readonly citiesNear: ManyQuery<{ readonly latitude: number; readonly longitude: number; readonly south: number; readonly north: number; readonly west: number; readonly east: number; readonly radiusKm: number }, CitiesCitiesNearRow>;
    /**
     * One city by its id.
     *
     * Reads cities. cities/cities.sql:1
     */
    readonly cityById: OneQuery<{ readonly id: number | bigint }, City>;
    /**
     * Which of the `:among` largest cities have most others within a quarter of a degree. Slow on purpose.
     *
     * Reads cities, city_places. cities/cities.sqlite.sql:26
     */
    readonly crowdedPlaces: ManyQuery<{ readonly among: number }, CitiesCrowdedPlacesRow>;
    /**
     * About a thousand cities, evenly over the table. Short names are left out: a search needs two letters.
     *
     * Reads cities. cities/cities.sql:14
     */
    readonly sampleCities: ManyQuery<void, CitiesSampleCitiesRow>;
    /**
     * The largest cities whose name has all `:words`, parted by one space; the last may be unfinished.
     * FTS5 reads `"`, `*` and words like NEAR as operators: each word is quoted.
     *
     * Reads cities, city_names. cities/cities.sqlite.sql:1
     */
    readonly searchCities: ManyQuery<{ readonly words: string }, CitiesSearchCitiesRow>;
  };
  readonly jobs: {
    /**
     * Writes jobs. jobs/jobs.sql:6
     */
    readonly addJob: EachQuery<{ readonly name: string; readonly cron: string; readonly action: string }>;
    /**
     * Reads jobs. jobs/jobs.sql:1
     */
    readonly allJobs: ManyQuery<void, Job>;
    /**
     * A claim ends by itself, in case its holder died.
     *
     * Reads jobs. Writes jobs. jobs/jobs.sql:17
     */
    readonly claimJob: EachQuery<{ readonly untilMs: number | bigint | null; readonly id: number | bigint }>;
    /**
     * jobs/jobs.sqlite.sql:18
     */
    readonly countCheckIns: ScriptQuery;
    /**
     * Jobs that are due and that nobody works on, for the transaction that claims them.
     *
     * Reads jobs. jobs/jobs.sqlite.sql:1
     */
    readonly dueJobs: ManyQuery<{ readonly nowMs: number | bigint }, DueJob>;
    /**
     * jobs/jobs.sql:25
     */
    readonly forgetOldRuns: ScriptQuery;
    /**
     * When the next job that nobody works on is due.
     *
     * Reads jobs. jobs/jobs.sql:13
     */
    readonly nextDue: ExactValueQuery<{ readonly nowMs: number | bigint }, number | null>;
    /**
     * Says when it is due next, never where that is null, and ends the claim on it.
     *
     * Reads jobs. Writes jobs. jobs/jobs.sql:9
     */
    readonly planJob: AffectedQuery<{ readonly nextRunMs: number | bigint | null; readonly id: number | bigint }>;
    /**
     * Reads jobs. Writes job_runs. jobs/jobs.sql:21
     */
    readonly recordRun: AffectedQuery<{ readonly id: number | bigint; readonly dueMs: number | bigint; readonly startedMs: number | bigint; readonly finishedMs: number | bigint; readonly error: string | null }>;
    /**
     * Counts the latest check-ins by city. Writers take turns here, so nothing is locked.
     *
     * jobs/jobs.sqlite.sql:11
     */
    readonly refreshTrending: ScriptQuery;
  };
  readonly reports: {
    /**
     * Names that exist in many countries, and how far apart they lie.
     *
     * Reads cities. reports/reports.sql:28
     */
    readonly namesakes: ManyQuery<void, ReportsNamesakesRow>;
    /**
     * The three largest cities of every country, with their share of its people.
     *
     * Reads cities. reports/reports.sql:3
     */
    readonly ranking: ManyQuery<void, ReportsRankingRow>;
    /**
     * The most populous squares of one degree, each with its largest city.
     *
     * Reads cities. reports/reports.sql:16
     */
    readonly squares: ManyQuery<void, ReportsSquaresRow>;
  };
}

/** The queries, on a database. */
export function createQueries(db: QueryDatabase, options?: BindOptions): Queries {
  return bindQueries<Queries>(db, SOURCES, options);
}

const SOURCES: readonly SqlSource[] = [
  {
    file: 'cities/cities.postgres.sql',
    folders: ['cities'],
    text: `-- name: search_cities
-- The largest cities whose name has all \`:words\`, parted by one space; the last may be unfinished.
-- Each word is quoted, and the last one is a prefix.
select cities.id, cities.name, country, population, latitude, longitude
from city_names join cities on cities.id = city_names.id
where words @@ cast('''' || replace(without_accents(:words), ' ', ''' & ''') || ''':*' as tsquery)
order by population desc
limit 20;

-- name: cities_near
-- The nearest cities by great-circle distance; an index finds candidates in the box around the circle.
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
limit 10;

-- name: crowded_places
-- Which of the \`:among\` largest cities have most others within a quarter of a degree. Slow on purpose.
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
limit 10;
`,
  },
  {
    file: 'cities/cities.sql',
    folders: ['cities'],
    text: `-- name: city_by_id^
-- record_class: City
-- One city by its id.
select id, name, alt_name, country, admin_code, feature, population, latitude, longitude
from cities
where id = :id;

-- name: check_in<!
-- Gives the new id. An unknown city is refused by the foreign key.
insert into checkins (city_id, visitor, note, at_ms)
values (:cityId, :visitor, :note, :atMs)
returning id;

-- name: sample_cities
-- About a thousand cities, evenly over the table. Short names are left out: a search needs two letters.
select id, name, latitude, longitude
from (
  select *, row_number() over (order by id) as place, (select count(*) / 1000 + 1 from cities) as step
  from cities
  where length(name) >= 4
) as numbered
where place % step = 0;
`,
  },
  {
    file: 'cities/cities.sqlite.sql',
    folders: ['cities'],
    text: `-- name: search_cities
-- The largest cities whose name has all \`:words\`, parted by one space; the last may be unfinished.
-- FTS5 reads \`"\`, \`*\` and words like NEAR as operators: each word is quoted.
select cities.id, cities.name, country, population, latitude, longitude
from city_names join cities on cities.id = city_names.rowid
where city_names match '"' || replace(:words, ' ', '" "') || '"*'
order by population desc
limit 20;

-- name: cities_near
-- The nearest cities by great-circle distance; an index finds candidates in the box around the circle.
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
limit 10;

-- name: crowded_places
-- Which of the \`:among\` largest cities have most others within a quarter of a degree. Slow on purpose.
with large as materialized (
  select id, name, country, latitude, longitude from cities order by population desc limit :among
)
select large.id, large.name, large.country, count(*) as neighbours
from large join city_places as place
  on place.max_latitude >= large.latitude - 0.25 and place.min_latitude <= large.latitude + 0.25
 and place.max_longitude >= large.longitude - 0.25 and place.min_longitude <= large.longitude + 0.25
group by large.id
order by neighbours desc
limit 10;
`,
  },
  {
    file: 'jobs/jobs.postgres.sql',
    folders: ['jobs'],
    text: `-- name: due_jobs
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
`,
  },
  {
    file: 'jobs/jobs.sql',
    folders: ['jobs'],
    text: `-- name: all_jobs
-- record_class: Job
-- column: action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs'
select id, name, cron, action from jobs order by id;

-- name: add_job*!
insert into jobs (name, cron, action) values (:name, :cron, :action);

-- name: plan_job(id, nextRunMs?)!
-- Says when it is due next, never where that is null, and ends the claim on it.
update jobs set next_run_ms = :nextRunMs, claimed_until_ms = null where id = :id;

-- name: next_due$
-- When the next job that nobody works on is due.
select min(next_run_ms) as "dueMs" from jobs where claimed_until_ms is null or claimed_until_ms < :nowMs;

-- name: claim_job*!
-- A claim ends by itself, in case its holder died.
update jobs set claimed_until_ms = :untilMs where id = :id;

-- name: record_run(id, dueMs, startedMs, finishedMs, error?)!
insert into job_runs (job_id, due_ms, started_ms, finished_ms, error)
values (:id, :dueMs, :startedMs, :finishedMs, :error);

-- name: forget_old_runs#
delete from job_runs where id <= (select max(id) from job_runs) - 1000;
delete from counts where id <= (select max(id) from counts) - 1000;
`,
  },
  {
    file: 'jobs/jobs.sqlite.sql',
    folders: ['jobs'],
    text: `-- name: due_jobs
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
`,
  },
  {
    file: 'reports/reports.sql',
    folders: ['reports'],
    text: `-- What the analyzer works on: each takes some hundred milliseconds over 135,000 cities.

-- name: ranking
-- The three largest cities of every country, with their share of its people.
select country, name, population, position, share, usual
from (
  select country, name, population,
    rank() over (partition by country order by population desc) as position,
    round(100.0 * population / sum(population) over (partition by country), 2) as share,
    round(avg(population) over (partition by country, admin_code)) as usual
  from cities
) as ranked
where position <= 3
order by country, position;

-- name: squares
-- The most populous squares of one degree, each with its largest city.
with square as (
  select round(latitude) as latitude, round(longitude) as longitude, name,
    sum(population) over (partition by round(latitude), round(longitude)) as people,
    row_number() over (
      partition by round(latitude), round(longitude) order by population desc
    ) as position
  from cities
)
select latitude, longitude, name, people from square where position = 1 order by people desc limit 20;

-- name: namesakes
-- Names that exist in many countries, and how far apart they lie.
select one.name, count(distinct one.country) as countries,
  max(abs(one.longitude - other.longitude)) as spread
from cities as one join cities as other on other.name = one.name and other.id <> one.id
group by one.name
order by countries desc, spread desc
limit 20;
`,
  },
];
