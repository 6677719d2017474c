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
