-- Full-text search over the names, a GiST index over the places, and the ordinary indexes.
create index cities_by_country on cities (country, population desc);
create index checkins_by_city on checkins (city_id, at_ms);

create function without_accents(given text) returns text
  language sql immutable strict parallel safe
  return lower(regexp_replace(normalize(given, nfd), '[\u0300-\u036f]', '', 'g'));

create table city_names as
  select id, to_tsvector('simple', regexp_replace(
    without_accents(name || ' ' || alt_name), '[^[:alnum:]]+', ' ', 'g')) as words
  from cities;
alter table city_names add primary key (id);
create index city_names_by_word on city_names using gin (words);

create index cities_by_place on cities using gist (point(longitude, latitude));
