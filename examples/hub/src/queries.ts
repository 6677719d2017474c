// Written by "millpond generate". Change the SQL and run it again.
import {
  bindQueries,
  type BindOptions,
  type QueryDatabase,
  type SqlSource,
  type AffectedQuery,
  type EachQuery,
  type ExactReturningQuery,
  type ExactValueQuery,
  type ManyQuery,
  type OneQuery,
  type ValueQuery,
} from './millpond/queries.ts';

export interface CitiesSampleCitiesRow {
  readonly id: number | null;
  readonly name: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
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

export interface CityInList {
  readonly id: number;
  readonly name: string;
  readonly admin_code: string;
  readonly feature: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Country {
  readonly country: string;
  readonly cities: number;
  readonly people: number;
  readonly largest: number;
  readonly place: number;
}

export interface CrowdedPlace {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly neighbours: number;
}

export interface DueJob {
  readonly id: number;
  readonly name: string;
  readonly cron: string;
  readonly action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs';
  readonly dueMs: number;
}

export interface FoundCity {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly cron: string;
  readonly action: 'refresh-trending' | 'count-check-ins' | 'forget-old-runs';
}

export interface NearbyCity {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly km: number;
}

export interface Note {
  readonly id: number;
  readonly cityId: number;
  readonly city: string;
  readonly author: string;
  readonly text: string;
  readonly atMs: number;
  readonly tags: string;
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

export interface TrendingCity {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly checkins: number;
}

export interface User {
  readonly id: number;
  readonly name: string;
  readonly password: string;
}

/** The queries of 11 files. */
export interface Queries {
  readonly cities: {
    /**
     * Gives the new id. An unknown city is refused by the foreign key.
     *
     * Reads checkins, cities. Writes checkins. cities/cities.sql:8
     */
    readonly checkIn: ExactReturningQuery<{ readonly cityId: number | bigint; readonly visitor: string; readonly note: string; readonly atMs: number | bigint }, number>;
    /**
     * The nearest cities by great-circle distance; an index finds candidates in the box around the circle.
     *
     * Reads cities, city_places. cities/cities.sqlite.sql:11
     */
    readonly citiesNear: ManyQuery<{ readonly latitude: number; readonly longitude: number; readonly south: number; readonly north: number; readonly west: number; readonly east: number; readonly radiusKm: number }, NearbyCity>;
    /**
     * The cities of one country, the largest first.
     *
     * Reads cities. cities/cities.sql:24
     */
    readonly citiesOfCountry: ManyQuery<{ readonly country: string; readonly limit: number; readonly offset: number }, CityInList>;
    /**
     * One city by its id.
     *
     * Reads cities. cities/cities.sql:1
     */
    readonly cityById: OneQuery<{ readonly id: number | bigint }, City>;
    /**
     * Every country with its cities and their people: a look at the whole table.
     *
     * Reads cities. cities/cities.sql:40
     */
    readonly countries: ManyQuery<void, Country>;
    /**
     * Which of the `:among` largest cities have most others within a quarter of a degree. Slow on purpose.
     *
     * Reads cities, city_places. cities/cities.sqlite.sql:29
     */
    readonly crowdedPlaces: ManyQuery<{ readonly among: number }, CrowdedPlace>;
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
    readonly searchCities: ManyQuery<{ readonly words: string }, FoundCity>;
    /**
     * The cities with the most of the latest check-ins, as the job counted them.
     *
     * Reads cities, trending. cities/cities.sql:33
     */
    readonly trendingCities: ManyQuery<void, TrendingCity>;
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
     * Reads cities, trending. Writes trending. jobs/jobs.sql:31
     */
    readonly clearTrending: AffectedQuery<void>;
    /**
     * Reads checkins. Writes counts. jobs/jobs.sqlite.sql:15
     */
    readonly countCheckIns: AffectedQuery<void>;
    /**
     * Jobs that are due and that nobody works on, for the transaction that claims them.
     *
     * Reads jobs. jobs/jobs.sqlite.sql:1
     */
    readonly dueJobs: ManyQuery<{ readonly nowMs: number | bigint }, DueJob>;
    /**
     * Counts the latest check-ins by city.
     *
     * Reads checkins, cities. Writes trending. jobs/jobs.sql:34
     */
    readonly fillTrending: AffectedQuery<void>;
    /**
     * Reads counts. Writes counts. jobs/jobs.sql:28
     */
    readonly forgetOldCounts: AffectedQuery<void>;
    /**
     * Reads job_runs, jobs. Writes job_runs. jobs/jobs.sql:25
     */
    readonly forgetOldRuns: AffectedQuery<void>;
    /**
     * Makes those who fill the same table take turns, which writers do here anyway.
     *
     * Reads jobs. jobs/jobs.sqlite.sql:11
     */
    readonly lockTrending: ValueQuery<void, number>;
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
  };
  readonly notes: {
    /**
     * Gives the new id. An unknown city is refused by the foreign key.
     *
     * Reads cities, note_tags, notes, users. Writes note_words, notes. notes/notes.sql:1
     */
    readonly addNote: ExactReturningQuery<{ readonly cityId: number | bigint; readonly userId: number | bigint; readonly text: string; readonly atMs: number | bigint }, number>;
    /**
     * Reads notes. Writes note_tags. notes/notes.sql:5
     */
    readonly addTag: EachQuery<{ readonly noteId: number | bigint; readonly tag: string }>;
    /**
     * A note that is not there, and one of somebody else, are left alone.
     *
     * Reads cities, note_tags, notes, users. Writes note_tags, note_words, notes. notes/notes.sql:8
     */
    readonly deleteNote: AffectedQuery<{ readonly id: number | bigint; readonly userId: number | bigint }>;
    /**
     * The latest notes, of one city or with one tag where that is given; `:before` is the last id of the page before.
     *
     * Reads cities, note_tags, notes, users. notes/notes.sql:12
     */
    readonly listNotes: ManyQuery<{ readonly cityId?: number | bigint | undefined; readonly tag?: string | undefined; readonly before?: number | bigint | undefined }, Note>;
    /**
     * The notes with all `:words`, the best first. FTS5 reads `"` and words like NEAR as operators: each is quoted.
     *
     * Reads cities, note_tags, note_words, notes, users. notes/notes.sqlite.sql:1
     */
    readonly searchNotes: ManyQuery<{ readonly words: string }, Note>;
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
  readonly users: {
    /**
     * Gives the new id. A name that is taken is refused by its unique constraint.
     *
     * Reads notes, users. Writes users. users/users.sql:1
     */
    readonly addUser: ExactReturningQuery<{ readonly name: string; readonly password: string }, number>;
    /**
     * Reads users. users/users.sql:5
     */
    readonly userByName: OneQuery<{ readonly name: string }, User>;
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
-- record_class: FoundCity
-- The largest cities whose name has all \`:words\`, parted by one space; the last may be unfinished.
-- Each word is quoted, and the last one is a prefix.
select cities.id, cities.name, country, population, latitude, longitude
from city_names join cities on cities.id = city_names.id
where words @@ cast('''' || replace(without_accents(:words), ' ', ''' & ''') || ''':*' as tsquery)
order by population desc
limit 20;

-- name: cities_near
-- record_class: NearbyCity
-- column: km!
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
-- record_class: CrowdedPlace
-- column: id: number
-- column: name: string
-- column: country: string
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

-- name: cities_of_country
-- record_class: CityInList
-- The cities of one country, the largest first.
select id, name, admin_code, feature, population, latitude, longitude
from cities
where country = :country
order by population desc, id
limit :limit offset :offset;

-- name: trending_cities
-- record_class: TrendingCity
-- The cities with the most of the latest check-ins, as the job counted them.
select cities.id, name, country, checkins
from trending join cities on cities.id = trending.city_id
order by checkins desc, cities.id;

-- name: countries
-- record_class: Country
-- Every country with its cities and their people: a look at the whole table.
-- column: people!
-- column: place!
select country, count(*) as cities, sum(population) as people, max(population) as largest,
  rank() over (order by sum(population) desc) as place
from cities
group by country
order by country;
`,
  },
  {
    file: 'cities/cities.sqlite.sql',
    folders: ['cities'],
    text: `-- name: search_cities
-- record_class: FoundCity
-- The largest cities whose name has all \`:words\`, parted by one space; the last may be unfinished.
-- FTS5 reads \`"\`, \`*\` and words like NEAR as operators: each word is quoted.
select cities.id, cities.name, country, population, latitude, longitude
from city_names join cities on cities.id = city_names.rowid
where city_names match '"' || replace(:words, ' ', '" "') || '"*'
order by population desc
limit 20;

-- name: cities_near
-- record_class: NearbyCity
-- column: km!
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
-- record_class: CrowdedPlace
-- column: id: number
-- column: name: string
-- column: country: string
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

-- name: lock_trending$
-- Makes those who fill the same table take turns, until the transaction ends.
-- A lock on rows says which table it touches; an advisory one could be anything, and would empty the cache.
select id from jobs where action = 'refresh-trending' order by id for no key update;

-- name: count_check_ins!
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

-- name: forget_old_runs!
delete from job_runs where id <= (select max(id) from job_runs) - 1000;

-- name: forget_old_counts!
delete from counts where id <= (select max(id) from counts) - 1000;

-- name: clear_trending!
delete from trending;

-- name: fill_trending!
-- Counts the latest check-ins by city.
insert into trending (city_id, checkins)
select city_id, count(*) from (select city_id from checkins order by id desc limit 1000) as latest
group by city_id order by count(*) desc limit 20;
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

-- name: lock_trending$
-- Makes those who fill the same table take turns, which writers do here anyway.
select true;

-- name: count_check_ins!
insert into counts (at_ms, checkins)
select cast(unixepoch('subsec') * 1000 as integer), coalesce(max(id), 0) from checkins;
`,
  },
  {
    file: 'notes/notes.postgres.sql',
    folders: ['notes'],
    text: `-- name: search_notes
-- record_class: Note
-- column: tags!
-- The notes with all \`:words\`, the best first. Each word is quoted, and the last one is a prefix.
select notes.id, city_id as "cityId", cities.name as city, users.name as author, notes.text, at_ms as "atMs",
  coalesce((select string_agg(tag, ' ' order by tag) from note_tags where note_id = notes.id), '') as tags
from notes join cities on cities.id = city_id join users on users.id = user_id,
  cast('''' || replace(without_accents(:words), ' ', ''' & ''') || ''':*' as tsquery) as asked
where words @@ asked
order by ts_rank(words, asked) desc, notes.id desc
limit 50;
`,
  },
  {
    file: 'notes/notes.sql',
    folders: ['notes'],
    text: `-- name: add_note<!
-- Gives the new id. An unknown city is refused by the foreign key.
insert into notes (city_id, user_id, text, at_ms) values (:cityId, :userId, :text, :atMs) returning id;

-- name: add_tag*!
insert into note_tags (note_id, tag) values (:noteId, :tag);

-- name: delete_note!
-- A note that is not there, and one of somebody else, are left alone.
delete from notes where id = :id and user_id = :userId;

-- name: list_notes
-- record_class: Note
-- column: tags!
-- The latest notes, of one city or with one tag where that is given; \`:before\` is the last id of the page before.
select notes.id, city_id as "cityId", cities.name as city, users.name as author, notes.text, at_ms as "atMs",
  coalesce((select string_agg(tag, ' ' order by tag) from note_tags where note_id = notes.id), '') as tags
from notes join cities on cities.id = city_id join users on users.id = user_id
where true
  /*[*/ and city_id = :cityId /*]*/
  /*[*/ and notes.id in (select note_id from note_tags where tag = :tag) /*]*/
  /*[*/ and notes.id < :before /*]*/
order by notes.id desc
limit 50;
`,
  },
  {
    file: 'notes/notes.sqlite.sql',
    folders: ['notes'],
    text: `-- name: search_notes
-- record_class: Note
-- column: tags!
-- The notes with all \`:words\`, the best first. FTS5 reads \`"\` and words like NEAR as operators: each is quoted.
select notes.id, city_id as "cityId", cities.name as city, users.name as author, notes.text, at_ms as "atMs",
  coalesce((select string_agg(tag, ' ' order by tag) from note_tags where note_id = notes.id), '') as tags
from note_words
  join notes on notes.id = note_words.rowid
  join cities on cities.id = city_id
  join users on users.id = user_id
where note_words match '"' || replace(:words, ' ', '" "') || '"*'
order by note_words.rank, notes.id desc
limit 50;
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
  {
    file: 'users/users.sql',
    folders: ['users'],
    text: `-- name: add_user<!
-- Gives the new id. A name that is taken is refused by its unique constraint.
insert into users (name, password) values (:name, :password) returning id;

-- name: user_by_name^
-- record_class: User
select id, name, password from users where name = :name;
`,
  },
];
