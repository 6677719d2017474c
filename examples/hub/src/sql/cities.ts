/** One city by its id. */
export const CITY_BY_ID = 'select * from cities where id = :id';

/** Gives the new id. An unknown city is refused by the foreign key. */
export const CHECK_IN = `
  insert into checkins (city_id, visitor, note, at_ms) values (:cityId, :visitor, :note, :atMs) returning id`;
