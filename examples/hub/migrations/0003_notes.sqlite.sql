create table users (
  id        integer primary key,
  name      text    not null unique,
  password  text    not null
) strict;

create table notes (
  id       integer primary key,
  city_id  integer not null references cities (id),
  user_id  integer not null references users (id),
  text     text    not null,
  at_ms    integer not null
) strict;
create index notes_by_city on notes (city_id, id);

create table note_tags (
  note_id  integer not null references notes (id) on delete cascade,
  tag      text    not null,
  primary key (note_id, tag)
) strict, without rowid;
create index note_tags_by_tag on note_tags (tag, note_id);

-- The index holds words only; triggers keep it in step with the table.
create virtual table note_words using fts5 (
  text, content = 'notes', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
create trigger note_words_of_new after insert on notes begin
  insert into note_words (rowid, text) values (new.id, new.text);
end;
create trigger note_words_of_gone after delete on notes begin
  insert into note_words (note_words, rowid, text) values ('delete', old.id, old.text);
end;
