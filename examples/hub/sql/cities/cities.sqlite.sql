-- name: search_cities
-- record_class: FoundCity
-- The largest cities whose name has all `:words`, parted by one space; the last may be unfinished.
-- FTS5 reads `"`, `*` and words like NEAR as operators: each word is quoted.
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
-- Which of the `:among` largest cities have most others within a quarter of a degree. Slow on purpose.
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
