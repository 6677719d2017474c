-- name: add_note<!
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
-- The latest notes, of one city or with one tag where that is given; `:before` is the last id of the page before.
select notes.id, city_id as "cityId", cities.name as city, users.name as author, notes.text, at_ms as "atMs",
  coalesce((select string_agg(tag, ' ' order by tag) from note_tags where note_id = notes.id), '') as tags
from notes join cities on cities.id = city_id join users on users.id = user_id
where true
  /*[*/ and city_id = :cityId /*]*/
  /*[*/ and notes.id in (select note_id from note_tags where tag = :tag) /*]*/
  /*[*/ and notes.id < :before /*]*/
order by notes.id desc
limit 50;
