-- Full-text search over the names, an r-tree over the places, and the ordinary indexes.
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
