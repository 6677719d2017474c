create table users (
  id        bigint generated always as identity primary key,
  name      text   not null unique,
  password  text   not null
);

create table notes (
  id       bigint generated always as identity primary key,
  city_id  bigint not null references cities (id),
  user_id  bigint not null references users (id),
  text     text   not null,
  at_ms    bigint not null,
  words    tsvector not null generated always as (to_tsvector('simple', without_accents(text))) stored
);
create index notes_by_city on notes (city_id, id);
create index notes_by_word on notes using gin (words);

create table note_tags (
  note_id  bigint not null references notes (id) on delete cascade,
  tag      text   not null,
  primary key (note_id, tag)
);
create index note_tags_by_tag on note_tags (tag, note_id);
