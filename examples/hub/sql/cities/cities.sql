-- name: city_by_id^
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
