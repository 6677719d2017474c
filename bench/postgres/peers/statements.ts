/** The same SQL for every peer. */
export const POINT_READ = 'select id, name, email, age, score, created_at from items where id = $1';
export const RANGE_READ =
  'select id, name, email, age, score, created_at from items where id >= $1 order by id limit $2';
export const INSERT_EVENT = 'insert into events (item_id, kind, payload, at) values ($1, $2, $3, $4)';
// Locked: two callers that meet at an account would lose one of their increments otherwise.
export const READ_BALANCE = 'select balance from accounts where id = $1 for update';
export const WRITE_BALANCE = 'update accounts set balance = $1 where id = $2';

/** What every peer may open at most. */
export const CONNECTIONS = 10;
