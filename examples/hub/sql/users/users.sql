-- name: add_user<!
-- Gives the new id. A name that is taken is refused by its unique constraint.
insert into users (name, password) values (:name, :password) returning id;

-- name: user_by_name^
-- record_class: User
select id, name, password from users where name = :name;
