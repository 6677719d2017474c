-- name: search_notes
-- record_class: Note
-- column: tags!
-- The notes with all `:words`, the best first. FTS5 reads `"` and words like NEAR as operators: each is quoted.
select notes.id, city_id as "cityId", cities.name as city, users.name as author, notes.text, at_ms as "atMs",
  coalesce((select string_agg(tag, ' ' order by tag) from note_tags where note_id = notes.id), '') as tags
from note_words
  join notes on notes.id = note_words.rowid
  join cities on cities.id = city_id
  join users on users.id = user_id
where note_words match '"' || replace(:words, ' ', '" "') || '"*'
order by note_words.rank, notes.id desc
limit 50;
