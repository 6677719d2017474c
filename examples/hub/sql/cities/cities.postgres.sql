-- name: search_cities
-- record_class: FoundCity
-- The largest cities whose name has all `:words`, parted by one space; the last may be unfinished.
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
-- Which of the `:among` largest cities have most others within a quarter of a degree. Slow on purpose.
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
