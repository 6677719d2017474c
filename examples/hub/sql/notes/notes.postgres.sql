-- name: search_notes
-- record_class: Note
-- column: tags!
-- The notes with all `:words`, the best first. Each word is quoted, and the last one is a prefix.
select notes.id, city_id as "cityId", cities.name as city, users.name as author, notes.text, at_ms as "atMs",
  coalesce((select string_agg(tag, ' ' order by tag) from note_tags where note_id = notes.id), '') as tags
from notes join cities on cities.id = city_id join users on users.id = user_id,
  cast('''' || replace(without_accents(:words), ' ', ''' & ''') || ''':*' as tsquery) as asked
where words @@ asked
order by ts_rank(words, asked) desc, notes.id desc
limit 50;
