-- What the analyzer works on: each takes some hundred milliseconds over 135,000 cities.

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
